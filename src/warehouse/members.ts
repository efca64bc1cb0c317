import type { Dataset } from '../datasets/define.ts';
import { AS_SENT } from '../datasets/fields.ts';
import {
  canBeColumn,
  encodeForm,
  formOf,
  FORM_TYPE,
  memberName,
  membersIn,
  type Form,
  type Member,
} from '../datasets/members.ts';
import { encodePart, PART_TYPE, PARTS, type Part } from '../datasets/mixed.ts';
import { quote, type SqlValue } from '../shared/sqlite.ts';
import {
  columnNames,
  freeName,
  giveName,
  hasNoColumn,
  isColumn,
  noteWithoutColumn,
  takenNames,
  takeReserved,
  type ColumnName,
  type NameType,
} from './column-names.ts';
import { explainMember } from './dictionary.ts';
import type { Db } from './open.ts';
import type { MemberColumns } from './upsert.ts';

/** The most columns that members get in a table: SQLite has at most 2000, and each costs a byte a row. */
export const MOST_COLUMNS = 300;
/** How many of those that get none are named in a table. */
const MOST_LEFT_OUT = 300;

/** Where the values of a member go. */
interface Slots {
  /** The name of the plain column, once there is one or it is reserved. */
  readonly base: string | undefined;
  /** The place of each column in `names`; undefined: it got none. */
  readonly at: Map<Form | Part, number | undefined>;
}

export function openMembers(db: Db, dataset: Dataset): MemberColumns {
  const { table, members: declared = {} } = dataset;
  const find = membersIn(dataset);
  const known = columnNames(db, table);
  const taken = takenNames(dataset, known);
  const names = known.filter(isColumn).map(({ column }) => String(column));
  const slots = slotsOf(known, names);
  let leftOut = known.filter(hasNoColumn).length;
  let empty: readonly SqlValue[] = names.map(() => null);

  const add = (name: ColumnName & { readonly column: string }, sqlType: string): number => {
    db.exec(`ALTER TABLE ${quote(table)} ADD COLUMN ${quote(name.column)} ${sqlType}`);
    explainMember(db, dataset, name);
    taken.add(name.column);
    empty = [...empty, null];
    return names.push(name.column) - 1;
  };

  const addForm = (member: Member, form: Form, since: string): number | undefined => {
    const { path, misfitOf } = member;
    const found = slots.get(path);
    const base = found?.base ?? misfitOf;
    const isPlain = misfitOf === undefined && (found === undefined || found.at.size === 0);
    const unit = unitOf(declared[path]?.unit, form);
    if (names.length >= MOST_COLUMNS || !canBeColumn(path)) {
      if (leftOut++ < MOST_LEFT_OUT) {
        const name = { path, column: null, type: form, unit };
        noteWithoutColumn(db, table, name, since);
        explainMember(db, dataset, name);
      }
      setSlot(slots, path, base, form, undefined);
      return undefined;
    }
    const isReserved = isPlain && base !== undefined;
    const column = isReserved ? base : freeName(isPlain ? memberName(path) : `${base ?? ''}_${form}`, taken);
    const name = { path, column, type: form, unit };
    if (isReserved) takeReserved(db, table, name);
    else giveName(db, table, name, since);
    const at = add(name, FORM_TYPE[form]);
    setSlot(slots, path, base ?? column, form, at);
    return at;
  };

  const put = (values: SqlValue[], member: Member, since: string) => {
    const { path, value } = member;
    const at = slots.get(path)?.at;
    if (at?.has('type') === true) {
      for (const part of PARTS) values[at.get(part) ?? 0] = encodePart(part, value);
      return;
    }
    const form = formOf(value);
    if (form === undefined) return;
    const place = at?.has(form) === true ? at.get(form) : addForm(member, form, since);
    if (place !== undefined) values[place] = encodeForm(form, value);
  };

  return {
    names,
    of(held, since) {
      const members = find(held);
      if (members.length === 0) return empty;
      const values = [...empty];
      for (const member of members) put(values, member, since);
      // Columns that were added for it are at the end, and some of them may be another's.
      for (let i = 0; i < names.length; i++) values[i] ??= null;
      return values;
    },
  };
}

/** Gives every mixed member that a data type declares its columns, before a value is seen. */
export function addMixed(db: Db, datasets: readonly Dataset[], since: string): void {
  for (const dataset of datasets) {
    const { table, members = {} } = dataset;
    for (const [path, { kind, unit }] of Object.entries(members)) {
      const names = columnNames(db, table);
      const own = names.filter((name) => name.path === path);
      // A name that was given keeps its meaning.
      if (kind !== 'any' || own.some(({ type }) => type !== 'reserved')) continue;
      const taken = takenNames(dataset, names);
      const reserved = own.find(({ type }) => type === 'reserved')?.column ?? undefined;
      const base = reserved ?? freeName(memberName(path), taken);
      if (reserved === undefined) giveName(db, table, { path, column: base, type: 'mixed', unit: null }, since);
      else takeReserved(db, table, { path, column: base, type: 'mixed', unit: null });
      for (const part of PARTS) {
        const column = freeName(`${base}_${part}`, taken);
        const name = { path, column, type: part, unit: part === 'number' ? (unit ?? AS_SENT) : null };
        giveName(db, table, name, since);
        db.exec(`ALTER TABLE ${quote(table)} ADD COLUMN ${quote(column)} ${PART_TYPE[part]}`);
        explainMember(db, dataset, name);
      }
    }
  }
}

function slotsOf(known: readonly ColumnName[], names: readonly string[]): Map<string, Slots> {
  const slots = new Map<string, Slots>();
  for (const { path, column, type } of known) {
    const base = column ?? undefined;
    if (type === 'reserved' || type === 'mixed') {
      if (base !== undefined) slots.set(path, { base, at: slots.get(path)?.at ?? new Map<Form | Part, undefined>() });
    } else
      setSlot(slots, path, slots.get(path)?.base ?? base, type, column === null ? undefined : names.indexOf(column));
  }
  return slots;
}

function setSlot(
  slots: Map<string, Slots>,
  path: string,
  base: string | undefined,
  type: Exclude<NameType, 'reserved' | 'mixed'>,
  at: number | undefined,
): void {
  const found: Slots = slots.get(path) ?? { base, at: new Map<Form | Part, number | undefined>() };
  found.at.set(type, at);
  slots.set(path, found.base === undefined ? { base, at: found.at } : found);
}

function unitOf(declared: string | undefined, form: Form): string | null {
  if (form === 'boolean') return '0 or 1';
  if (form === 'json') return 'JSON';
  return form === 'number' ? (declared ?? AS_SENT) : null;
}
