import type { Row } from '../datasets/normalise.ts';
import { heldAmong } from '../warehouse/records.ts';
import { roomsOf } from './rooms.ts';
import type { Session } from './session.ts';

/**
 * The rows of an answer for the whole experiment that says that it lacks records, without those that are held and come
 * from their rooms: such an answer may have other content of them, and each sync would write both versions.
 */
export function notLeftToRooms(session: Session, rows: readonly Row[]): readonly Row[] {
  const { warehouse, stream } = session;
  const rooms = roomsOf(session);
  if (rooms === undefined) return rows;
  const ids = new Set<unknown>(rooms.ids);
  const place = stream.dataset.columns.findIndex(({ name }) => name === 'room_id');
  const isInRoom = ({ values }: Row) => rooms.areAll || ids.has(values[place]);
  const keys = rows.filter(isInRoom).map(({ key }) => key);
  const left = new Set(heldAmong(warehouse.db, stream, keys));
  return rows.filter(({ key }) => !left.has(key));
}
