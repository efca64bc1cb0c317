import type { Condition } from './condition.ts';
import { isBlocking, reasonOf, type Doubt, type DoubtKind } from '../warehouse/doubts.ts';
import type { StoredPosition } from '../warehouse/positions.ts';
import { isFine, standingOf, type Standing } from '../warehouse/standing.ts';
import type { Trouble } from './trouble.ts';
import { DAY_MS } from '../shared/time.ts';
import { NO_EXPERIMENTS } from '../warehouse/experiment-list.ts';

/** What is known at one moment of streams and of what they are read with. Times are milliseconds since 1970 UTC. */
export interface StreamFacts {
  /** What the API said when it refused the key; undefined while it accepts it. */
  readonly keyRefused: string | undefined;
  /** What keeps anything from being read. */
  readonly trouble?: Trouble | undefined;
  /** Whether the configuration asks for a stream's data type by name. */
  readonly isNamed?: ((stream: StoredPosition) => boolean) | undefined;
  /** Experiments that are no longer in the list. */
  readonly gone?: ReadonlySet<string> | undefined;
  /** Since when the list of experiments is empty. */
  readonly seesNothingSince?: number | undefined;
  /**
   * Failures of syncs before this time say nothing of now: the service was started since, given another key, or could
   * read nothing until then. A stream that has not been synced after it begins no alert.
   */
  readonly countsFrom?: number | undefined;
}

/** What is wrong where the key sees no experiment at all. */
export function listCondition({ seesNothingSince, keyRefused, trouble }: StreamFacts): Condition[] {
  if (seesNothingSince === undefined) return [];
  return [
    {
      id: 'no-experiments',
      kind: 'gone',
      group: 'no-experiments',
      subject: 'The key sees no experiment',
      text: NO_EXPERIMENTS.message,
      hint: NO_EXPERIMENTS.hint,
      ended: 'The key sees experiments again',
      urgent: false,
      since: seesNothingSince,
      quiet: keyRefused !== undefined || trouble !== undefined,
    },
  ];
}

/** What is wrong with a stream, and what its readers should know of it. */
export function streamConditions(position: StoredPosition, facts: StreamFacts): Condition[] {
  const standing = standingOf(position);
  const about = aboutOf(position, facts);
  const isNamed = facts.isNamed?.(position) === true;
  // A first read that is under way is no trouble.
  if (isFine({ standing, isNamed }) || standing === 'unread') return news(position, about);
  if (standing === 'unconfigured') return [];
  if (standing === 'gone') return [goneCondition(position, about, facts)];
  const withheld = position.doubts.filter(({ kind }) => kind === 'withheld');
  const others = position.doubts.filter((doubt) => isBlocking(doubt) && doubt.kind !== 'withheld');
  const held = withheldCondition(position, about, withheld);
  // Whether rows that are withheld are still missing is not known before the stream is read again.
  if (withheld.length === 0) return [...news(position, about), trouble(position, about, standing, others), held];
  return [...news(position, about), held, ...(others.length === 0 ? [] : [trouble(position, about, standing, others)])];
}

type About = Pick<Condition, 'part' | 'urgent' | 'since' | 'quiet'> & { readonly id: string; readonly place: string };

function aboutOf({ experimentId, data, scope, dataAsOf, lastSyncAt }: StoredPosition, facts: StreamFacts): About {
  const place = placeText(scope);
  // What keeps everything from being read is told by itself, and a failure of former days may be over.
  const isOld = facts.countsFrom !== undefined && (lastSyncAt ?? 0) < facts.countsFrom;
  return {
    id: `${experimentId}/${data}/${scope}`,
    place,
    part: `${data}${place}`,
    urgent: false,
    since: dataAsOf,
    quiet: facts.keyRefused !== undefined || facts.trouble !== undefined || isOld,
  };
}

function withheldCondition({ experimentId }: StoredPosition, about: About, withheld: readonly Doubt[]): Condition {
  const { id, part, urgent, since, quiet } = about;
  const text = reasonOf(withheld);
  return {
    id: `deletes:${id}`,
    kind: 'deletes-braked',
    group: `deletes:${experimentId}`,
    subject: `Rows of ${experimentId} are no longer in the API, and are withheld from deletion`,
    text: sentence(text ?? 'whether rows are still withheld is not known'),
    part,
    hint: 'If they are meant to be gone, run: hsw sync now --accept-deletes',
    ended: `No rows of ${experimentId} are withheld from deletion any more`,
    urgent,
    since,
    quiet: quiet === true || text === undefined,
  };
}

function goneCondition({ experimentId, doubts }: StoredPosition, about: About, facts: StreamFacts): Condition {
  const { id, part, urgent, since } = about;
  const isAll = facts.gone?.has(experimentId) === true;
  return {
    id: `stream:${id}`,
    kind: 'gone',
    group: `gone:${experimentId}${isAll ? '' : ':part'}`,
    subject: `${isAll ? experimentId : `Some data of ${experimentId}`} can no longer be found with this key`,
    text: sentence(reasonOf(doubts.filter(({ kind }) => kind === 'gone')) ?? 'it is gone'),
    part,
    hint: 'If it was not deleted, ask its owner to share it again: it is read again as soon as the key sees it.',
    ended: `${isAll ? experimentId : `The data of ${experimentId} that were gone`} can be found again`,
    urgent,
    since,
    // It is not read any more, so that only what keeps everything from being read speaks against telling it.
    quiet: facts.keyRefused !== undefined || facts.trouble !== undefined || facts.seesNothingSince !== undefined,
  };
}

/** A second reading decides soon what became of rows that one did not find; it takes a day at most. */
const DECIDED_MS = DAY_MS;

function trouble(
  { experimentId, data, lastError }: StoredPosition,
  { id, place, part, urgent, since, quiet }: About,
  standing: Standing,
  doubts: readonly Doubt[],
): Condition {
  const isMissingOnly = doubts.length > 0 && doubts.every(({ kind }) => kind === 'missing-upstream');
  const reason = reasonOf(doubts) ?? lastError ?? 'the reason is not known';
  const isRead = standing === 'incomplete';
  const same = reason
    .replaceAll(`${data} of ${experimentId}${place}`, '…')
    .replace(/ \(request id [^)]*\)/g, '')
    .replace(/\d+/g, '#');
  return {
    id: `stream:${id}`,
    kind: 'stream',
    group: `stream:${experimentId}:${isRead ? 'incomplete' : 'failed'}:${same}`,
    subject: `Some data of ${experimentId} ${isRead ? 'may be incomplete' : 'cannot be read'}`,
    text: sentence(reason),
    part,
    hint: HINTS[standing] ?? 'The next sync tries again by itself; `hsw doctor` looks for what is wrong.',
    ended: `The data of ${experimentId} that ${isRead ? 'were incomplete' : 'could not be read'} are fine again`,
    urgent,
    // How long rows have been missing does not follow from the last read.
    ...(isMissingOnly ? { afterMs: DECIDED_MS } : { since }),
    quiet,
  };
}

const HINTS: Partial<Record<Standing, string>> = {
  incomplete:
    'The next sync tries again by itself; `hsw status` shows all streams, `hsw verify` compares them with the API.',
  lost: 'Give the key that scope again, or leave the data type out of the configuration (data). The rows that were read are kept.',
  skipped: 'Give the key that scope, or leave the data type out of the configuration (data).',
};

/** What is no trouble and is told once. */
const NEWS: ReadonlySet<DoubtKind> = new Set(['rederived']);

function news({ experimentId, doubts }: StoredPosition, { id, part, quiet }: About): Condition[] {
  return doubts
    .filter(({ kind }) => NEWS.has(kind))
    .map(({ text }) => ({
      id: `rederived:${id}:${text}`,
      kind: 'rederived',
      group: 'rederived',
      subject: 'HyperStudy changed data that were read before',
      text: 'The server derived values of old rows again. The tables have the new ones; `_history` keeps the former ones.',
      part: `${part ?? ''} of ${experimentId}: ${text}`,
      hint: 'Run analyses that used these data again.',
      ended: '',
      urgent: true,
      once: true,
      quiet,
    }));
}

/** A part of an experiment as `streamText` says it, from the text that the position keeps. */
function placeText(scope: string): string {
  const [, part = '', filter = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(scope) ?? [];
  const filters = filter.split('&').filter((text) => text !== '');
  const place = part
    .replace(/^experiment$/, '')
    .replace(/^participant:(.*)@(.*)$/s, ', participant $1 in room $2')
    .replace(/^(room|deployment):/, ', $1 ');
  return `${place}${filters.map((text) => `, only ${text.replace('=', ' ')}`).join('')}`;
}

/** An id at the beginning stays as it is. */
function sentence(text: string): string {
  const begun = text.replace(/^[a-z]+(?=[ ,])/, (word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
