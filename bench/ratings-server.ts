import { createServer } from 'node:http';

const START = Date.parse('2026-01-01T00:00:00.000Z');
const EVERY_MS = 100;
export const KEY = `hst_test_${'b'.repeat(64)}`;

/** The same rating for the same place, with an id that is not in order. */
function rating(i: number) {
  const id = ((i * 2_654_435_761) % 4_294_967_296).toString(36).padStart(7, '0');
  const value = (i * 7) % 101;
  return {
    ratingId: `rat_${id}${i.toString(36)}`,
    experimentId: 'exp_1',
    roomId: `room_${i % 50}`,
    participantId: `user_${i % 200}`,
    componentId: 'cmp_rating',
    timestamp: new Date(START + i * EVERY_MS).toISOString(),
    onset: i * EVERY_MS,
    value,
    normalizedValue: value / 100,
    rawValue: value,
    scaleMin: 0,
    scaleMax: 100,
  };
}

/** An API with one experiment, `exp_1`, and so many continuous ratings; gives its base URL. */
export async function serveRatings(rows: number): Promise<{ url: string; close: () => void }> {
  const server = createServer((message, response) => {
    const { searchParams, pathname } = new URL(message.url ?? '/', 'http://bench');
    const isRatings = pathname.includes('/ratings/');
    const from = searchParams.get('startTime');
    const before = from === null ? 0 : Math.max(0, Math.ceil((Date.parse(from) - START) / EVERY_MS));
    const first = before + Number(searchParams.get('offset') ?? 0);
    const last = Math.min(rows, first + Number(searchParams.get('limit') ?? 1000));
    const data = isRatings
      ? Array.from({ length: Math.max(0, last - first) }, (_, i) => rating(first + i))
      : [{ id: 'exp_1', name: 'Bench' }];
    const pagination = isRatings
      ? { total: rows - before, returned: data.length, hasMore: last < rows }
      : { total: 1, returned: 1, hasMore: false };
    response.end(JSON.stringify({ status: 'success', data, metadata: { pagination } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/api/v3`, close: () => server.close() };
}
