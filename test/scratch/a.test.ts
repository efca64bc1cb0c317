import { it } from 'vitest';
import { openLab } from '../support/lab.ts';
it('x', async () => {
  const lab = await openLab({
    fault: ({ path }) =>
      path.startsWith('/data/eyetracking/experiment/')
        ? {
            kind: 'change',
            change: (reply: any) => {
              const body = JSON.parse(reply.body) as any;
              body.metadata['_warnings'] = ['MISSING_INDEX: Results may be incomplete.'];
              return {
                ...reply,
                body: JSON.stringify({ ...body, data: body.data.filter((_: any, i: number) => i % 3 !== 0) }),
              };
            },
          }
        : undefined,
  });
  const show = (r: any) => {
    for (const s of r.streams)
      if (s.status !== 'ok' || s.requests > 1)
        console.log(s.data, s.room ?? '', s.status, s.requests, s.inserted, s.updated, s.error?.message ?? '');
    console.log(lab.warehouse.db.prepare('select data, scope, reason from _streams where complete=0').all());
  };
  show(await lab.sync({ selection: { data: ['rooms', 'eyetracking'] } }));
  console.log(lab.simulator.requests.filter((r) => r.path.includes('eyetr')).map((r) => r.path + ' ' + r.query));
});
