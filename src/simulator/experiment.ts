import type { Random } from './random.ts';
import { generateRoom } from './room.ts';
import { iso, type Add, type WorldOptions } from './life.ts';
import { DAY_MS } from '../shared/time.ts';

const TITLES = [
  ['Gemeinsam schauen', 'Ein Film, zwei Menschen: wie ähnlich fühlen wir? 🎬'],
  ['Trust game with agents', 'Do people trust an AI partner as they trust a person?'],
  ['Émotions et regard', 'Where do we look while a story moves us?'],
] as const;

/** An experiment with its configuration, a deployment and rooms that open one after the other; gives its id. */
export function generateExperiment(index: number, options: WorldOptions, random: Random, add: Add): string {
  const id = `exp_${random.id(12)}`;
  const [name, description] = TITLES[index % TITLES.length] ?? TITLES[0];
  const made = options.start - 7 * DAY_MS;
  const roomStart = (room: number) => options.start + room * options.roomEveryMs;
  const deployment = { id: `dep_${random.id(10)}`, name: `${name} – batch 1` };
  const hasAgents = index % 3 === 1;
  const base = { id, name, description, ownerEmail: 'lab@example.edu', createdAt: iso(made) };

  add('experiments', id, { from: made, record: { ...base, roomCount: 0, participantCount: 0, updatedAt: iso(made) } });
  add('experiment-configs', id, {
    from: made,
    record: {
      name,
      description,
      runtime: hasAgents ? 'v2' : null,
      states: [
        {
          id: 'state_welcome',
          name: 'Welcome',
          order: 0,
          focusComponent: { id: 'cmp_text', type: 'showtext', config: { text: 'Willkommen — välkommen — 歓迎' } },
        },
        {
          id: 'state_video',
          name: 'Video',
          order: 1,
          focusComponent: { id: 'cmp_video', type: 'showvideo', config: { durationMs: options.videoSeconds * 1000 } },
        },
        {
          id: 'state_questions',
          name: 'Questions',
          order: 2,
          focusComponent: { id: 'cmp_likert', type: 'likertscale', config: { scalePoints: 7 } },
        },
      ],
      roles: { viewer: { name: 'Viewer', participantCount: options.participantsPerRoom } },
      variables: { condition: 'together', points: 0 },
    },
  });
  add('deployments', id, {
    from: made,
    record: {
      ...deployment,
      experimentId: id,
      status: 'Active',
      type: hasAgents ? 'agent-only' : 'human',
      createdAt: iso(made),
      updatedAt: iso(made),
    },
  });
  const costs: { at: number; room: string; cost: number }[] = [];
  for (let room = 0; room < options.roomsPerExperiment; room++) {
    generateRoom({
      experimentId: id,
      deployment,
      start: roomStart(room),
      index: room,
      hasAgents,
      options,
      random,
      add: (dataType, experimentId, ...versions) => {
        add(dataType, experimentId, ...versions);
        const [{ from: at, record } = { from: 0, record: {} }] = dataType === 'agent-runs' ? versions : [];
        if (dataType === 'agent-runs')
          costs.push({ at, room: String(record['roomId']), cost: Number(record['totalCostUsd']) });
      },
    });
  }
  const spent = costs.map(({ at }, last) => {
    const rooms = costs.slice(0, last + 1);
    const perRoom = Object.fromEntries(rooms.map(({ room, cost }) => [room, cost]));
    return { from: at, record: { total: rooms.reduce((sum, { cost }) => sum + cost, 0), perRoom } };
  });
  if (spent.length > 0) add('agent-spend', id, ...spent);
  return id;
}
