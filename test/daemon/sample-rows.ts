import { DATASETS } from '../../src/datasets/registry.ts';
import type { ExperimentRows } from '../../src/status/view.ts';

const DATA = DATASETS.filter(({ columns }) => columns.some(({ name }) => name === 'room_id')).map(({ name }) => name);

/** An experiment of eight rooms, one of them open and one without chat. */
export function sampleRows(now: number, change: Partial<ExperimentRows> = {}): ExperimentRows {
  const rooms = Array.from({ length: 8 }, (_, i) => ({
    id: `room_${i + 11}`,
    isOpen: i === 0,
    status: i === 0 ? 'active' : 'completed',
    rows: new Map(
      DATA.filter((data) => i !== 3 || data !== 'chat').map((data, j) => [
        data,
        ((i * 37 + j * 53) % 90) * (j + 1) + 4,
      ]),
    ),
  }));
  const held = (data: string) => rooms.reduce((sum, { rows }) => sum + (rows.get(data) ?? 0), 0);
  return {
    rooms,
    moreRooms: 0,
    data: DATA,
    byParticipant: ['ratings/continuous'],
    totals: new Map(DATA.map((data) => [data, held(data) + (data === 'events' ? 16 : 0)])),
    people: {
      joined: 32,
      codes: new Map([
        ['SUCCESS', 19],
        ['NOCONSENT', 4],
        ['ABANDONED', 4],
        ['TIMEOUT', 2],
        ['IN_PROGRESS', 3],
      ]),
      complete: 19,
      agents: 2,
    },
    changes: [{ data: 'components', changed: 12, deleted: 1, lastAt: now - 3_600_000, isMore: false }],
    ...change,
  };
}
