import type { Answer } from '../api/client.ts';
import { DATA_TYPES } from '../datasets/registry.ts';
import type { Stream } from '../datasets/stream.ts';
import { isObject, type Json } from '../shared/json.ts';
import { MINUTE_MS, parseTime, SECOND_MS } from '../shared/time.ts';
import type { Db } from '../warehouse/open.ts';
import { readPosition } from '../warehouse/positions.ts';
import { isKnownPart } from '../warehouse/structure.ts';
import type { Traits } from './endpoint-traits.ts';

/*
 * Whether an answer is the answer to its request. Behind a connection that mixes up answers, or a cache that confuses
 * addresses, it may be the answer to another one, and agree with itself.
 */

/** An answer, and the request that it should be for. */
export interface Own {
  readonly stream: Stream;
  readonly path: string;
  readonly sent: Readonly<Record<string, string | number | boolean>>;
  readonly answer: Answer;
}

/** What an answer is for, where that is not what was requested: its records belong elsewhere, or in another place. */
export interface Foreign {
  readonly of: 'another thing' | 'another place';
  /** As a clause. */
  readonly text: string;
}

/** Compares what answers say that they are for with their requests. */
export type CheckOwn = (own: Own) => Foreign | undefined;

export function openOwnAnswers(db: Db, traits: Traits): CheckOwn {
  return (own) => otherThing(db, traits, own) ?? otherRecords(db, traits, own) ?? otherPlace(traits, own);
}

/** Only below this path do all answers name their data type and the id of what was requested. */
const NAMED = /^\/data\//;

function otherThing(db: Db, traits: Traits, { stream, path, answer }: Own): Foreign | undefined {
  if (!NAMED.test(path)) return undefined;
  const { dataType, scopeId } = answer.metadata;
  if (typeof dataType === 'string') {
    const named = plain(dataType);
    const own = plain(stream.dataset.name);
    if (named === own && traits.known.namesItself !== true)
      traits.learn({ namesItself: true }, `its answers name ${dataType}`);
    // Data types may be called otherwise there, some by the name of another, as long as they always are.
    const isOther = named !== own && DATA_TYPES.some((name) => plain(name) === named);
    if (isOther && traits.known.namesItself === true) return { of: 'another thing', text: `it names ${dataType}` };
  }
  if (typeof scopeId !== 'string') return isNameless(db, stream, traits, answer) ? NAMELESS : undefined;
  if (idsOf(stream).includes(scopeId)) {
    if (traits.known.scopeNamed !== true) traits.learn({ scopeNamed: true }, `its answer named ${scopeId}`);
    return undefined;
  }
  const isOther = isKnownPart(db, scopeId) || (traits.known.scopeNamed === true && !namesOwn(stream, answer.data));
  return isOther ? { of: 'another thing', text: `it names ${scopeId}` } : undefined;
}

const NAMELESS: Foreign = { of: 'another place', text: 'it has no records, and does not say what it is for' };

/**
 * Whether an answer without records names nothing, although others of the endpoint do. Where nothing is held it is taken
 * for the answer that it seems to be: an API may answer an empty experiment in fewer words.
 */
function isNameless(db: Db, stream: Stream, { known }: Traits, { metadata: { dataType }, data }: Answer): boolean {
  if (data.length > 0 || typeof dataType === 'string' || known.scopeNamed !== true) return false;
  return readPosition(db, stream).rows > 0;
}

/**
 * Whether all records that name an experiment name another one. An answer that names what was requested may have such
 * records. Rooms are not compared, as records are in the answers of rooms that they do not belong to.
 */
function otherRecords(db: Db, traits: Traits, { stream, answer: { metadata, data } }: Own): Foreign | undefined {
  const { scopeId } = metadata;
  if (typeof scopeId === 'string' && idsOf(stream).includes(scopeId)) return undefined;
  const named = idsIn(data, experimentField(stream));
  if (named.includes(stream.experimentId)) {
    if (traits.known.experimentNamed !== true)
      traits.learn({ experimentNamed: true }, `its records name ${stream.experimentId}`);
    return undefined;
  }
  const other = named.find((id) => traits.known.experimentNamed === true || isKnownPart(db, id));
  return other === undefined ? undefined : { of: 'another thing', text: `its records are of ${other}` };
}

function namesOwn(stream: Stream, data: readonly Json[]): boolean {
  return idsIn(data, experimentField(stream)).includes(stream.experimentId);
}

/** The record of an experiment is named by its id. */
function experimentField({ dataset }: Stream): string {
  return dataset.name === 'experiments' ? 'id' : 'experimentId';
}

/** The ids that records name in a field of theirs or, as recordings do, of their metadata. */
function idsIn(data: readonly Json[], field: string): string[] {
  const ids = data.flatMap((record) => {
    if (!isObject(record)) return [];
    const { metadata = null } = record;
    return [record[field], isObject(metadata) ? metadata[field] : undefined];
  });
  return [...new Set(ids.filter((id) => typeof id === 'string'))];
}

/** `agent-runs` and `agentRuns` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '');
}

/** The ids of what was requested. A part may be answered by the name of its experiment. */
function idsOf({ experimentId, scope }: Stream): string[] {
  if (scope.kind === 'experiment') return [experimentId];
  return [experimentId, scope.id, ...(scope.kind === 'participant' ? [scope.room] : [])];
}

function otherPlace(traits: Traits, { sent, answer }: Own): Foreign | undefined {
  const { metadata, echo = {} } = answer;
  const said = echo['offset'] ?? pagesOf(metadata)['offset'];
  const { offset } = sent;
  if (typeof said === 'number' && typeof offset === 'number') {
    if (said === offset && offset > 0 && traits.known.offsetNamed !== true)
      traits.learn({ offsetNamed: true }, `its answer named the offset ${offset}`);
    // Where an answer never names the offset, 0 says nothing.
    if (said !== offset && (said > 0 || traits.known.offsetNamed === true)) {
      // A listing of such answers might never end.
      return { of: 'another thing', text: `it is for the records from offset ${said} on, not ${offset}` };
    }
  }
  const time = ['startTime', 'endTime'].find((name) => isOtherTime(sent[name], echo[name]));
  if (time !== undefined) return { of: 'another place', text: `it is for another ${time}` };
  const { order } = echo;
  const isTurned = (order === 'asc' || order === 'desc') && 'order' in sent && order !== sent['order'];
  return isTurned ? { of: 'another place', text: `it is in the order ${order}` } : undefined;
}

function pagesOf({ pagination = null }: Answer['metadata']): Readonly<Record<string, Json>> {
  return isObject(pagination) ? pagination : {};
}

/** Whether a time was requested and another one named; a server may round it. */
function isOtherTime(sent: Json | undefined, said: Json | undefined): boolean {
  const [asked, named] = [sent, said].map((time) => (typeof time === 'string' ? parseTime(time) : undefined));
  return asked !== undefined && named !== undefined && Math.abs(asked - named) > SECOND_MS;
}

/** What a cache keeps longer than this could be two readings of one row that is gone: they are a minute apart. */
const OLDEST_MS = MINUTE_MS;

/** How an answer shows that it is an old one from a cache, as a clause. */
export function agedText({ ageMs = 0 }: Answer): string | undefined {
  if (ageMs < OLDEST_MS) return undefined;
  return `a cache on the way sent an answer that is ${Math.round(ageMs / SECOND_MS)} seconds old`;
}
