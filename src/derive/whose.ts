import type { Dataset } from '../datasets/define.ts';

/** Whose a row is. */
export interface Place {
  readonly experiment: string;
  readonly room: string | null;
  readonly participant: string | null;
}

/** The columns of a data type's table that say whose a row is; undefined where none does. */
export interface Whose {
  readonly room: string | undefined;
  readonly participant: string | undefined;
  /** How this column begins in rows that name no one and concern their room; such rows with others concern nothing. */
  readonly roomWide?: { readonly column: string; readonly start: string };
}

/** Tables in which the row itself is the room or the participant, and those that name a participant otherwise. */
const OTHERWISE: Readonly<Record<string, Partial<Whose>>> = {
  rooms: { room: 'id' },
  'deployment-sessions': { room: 'id' },
  participants: { participant: 'id' },
  chat: { participant: 'sender_id' },
  // A room may have a thousand pulses of a scanner.
  events: { roomWide: { column: 'event_type', start: 'state.' } },
};

export function whose({ name, columns }: Pick<Dataset, 'name' | 'columns'>): Whose {
  const named = (column: string) => (columns.some((one) => one.name === column) ? column : undefined);
  return { room: named('room_id'), participant: named('participant_id'), ...OTHERWISE[name] };
}

/** Which rows that name no one concern their room, as SQL with a word before it. */
export function roomWideOnly({ roomWide }: Whose, word: 'AND' | 'OR', row = ''): string {
  if (roomWide === undefined) return '';
  const { column, start } = roomWide;
  return `${word} substr(${row}${column}, 1, ${start.length}) = '${start}'`;
}
