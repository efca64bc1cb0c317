import { isBlocking, reasonOf, type Doubt, type NoteKind } from '../warehouse/doubts.ts';
import { isFine, type Standing } from '../warehouse/standing.ts';
import type { AffectedStream, Issue } from './issue.ts';
import { isHalted, seesNothing, type Snapshot, type StreamView } from './snapshot.ts';
import { idOf, nameOf, partOf, placeOf } from './stream-name.ts';

/** What is wrong with streams, and what their readers should know of them: each cause once. */
export function streamIssues(snapshot: Snapshot): Issue[] {
  const found = snapshot.experiments
    .filter(({ isGone }) => !isGone)
    .flatMap(({ streams }) => streams)
    .flatMap((stream) => findingsOf(stream, snapshot));
  return [...Map.groupBy(found, ({ cause }) => cause.id).values()].flatMap(gathered);
}

/** What is wrong, whatever it affects. */
type Cause = Omit<Issue, 'since' | 'scope' | 'ended' | 'hush'> & { readonly ended?: string };

/** One thing that is wrong with one stream. */
interface Finding {
  /** Undefined where the cause may affect any experiment. */
  readonly experiment: string | undefined;
  readonly cause: Cause;
  readonly stream: AffectedStream;
}

/** An issue of the findings with one cause, in the words of one that is known to hold. */
function gathered(findings: readonly Finding[]): Issue[] {
  const first = findings.find(({ stream }) => stream.hush === undefined) ?? findings[0];
  if (first === undefined) return [];
  const streams = findings.map(({ stream }) => stream);
  const times = streams.flatMap(({ since }) => since ?? []);
  return [
    {
      ended: '',
      ...first.cause,
      since: times.length === 0 ? undefined : Math.min(...times),
      scope: { experiment: first.experiment, streams },
    },
  ];
}

function findingsOf(stream: StreamView, snapshot: Snapshot): Finding[] {
  const { standing } = stream;
  const news = NEWS.flatMap((kind) => newsOf(stream, kind, snapshot));
  // A first read that is under way is nothing wrong.
  if (isFine(stream) || standing === 'unread') return news;
  if (standing === 'gone') return [partGone(stream, snapshot)];
  const withheld = stream.doubts.filter(({ kind }) => kind === 'withheld');
  const others = stream.doubts.filter((doubt) => isBlocking(doubt) && doubt.kind !== 'withheld');
  const held = withheldFinding(stream, withheld, snapshot);
  // Whether rows that are withheld are still missing is not known before the stream is read again.
  if (withheld.length === 0) return [...news, unread(stream, others, snapshot), held];
  return [...news, held, ...(others.length === 0 ? [] : [unread(stream, others, snapshot)])];
}

/** What keeps everything from being read explains that a stream failed; whatever was so before it may be over. */
function hushOf({ lastSyncAt, standing }: StreamView, snapshot: Snapshot): AffectedStream['hush'] {
  if (isHalted(snapshot)) return standing === 'failed' ? 'explained' : 'old';
  return (lastSyncAt ?? 0) < (snapshot.countsFrom ?? 0) ? 'old' : undefined;
}

function withheldFinding(stream: StreamView, withheld: readonly Doubt[], snapshot: Snapshot): Finding {
  const { experimentId: experiment } = stream;
  const text = reasonOf(withheld);
  return {
    experiment,
    cause: {
      id: `deletes:${experiment}`,
      code: 'DELETES_WITHHELD',
      severity: 'warning',
      subject: `Rows of ${experiment} are no longer in the API, and are withheld from deletion`,
      text: sentence(text ?? 'whether rows are still withheld is not known'),
      hint: 'If they are meant to be gone, run: hsw sync now --accept-deletes',
      ended: `No rows of ${experiment} are withheld from deletion any more`,
      alert: 'when it lasts',
    },
    stream: {
      id: `deletes:${idOf(stream)}`,
      name: partOf(stream),
      since: stream.dataAsOf,
      hush: text === undefined ? 'unknown' : hushOf(stream, snapshot),
    },
  };
}

function partGone(stream: StreamView, snapshot: Snapshot): Finding {
  const { experimentId: experiment, doubts, dataAsOf } = stream;
  return {
    experiment,
    cause: {
      id: `gone:${experiment}:part`,
      code: 'PART_GONE',
      severity: 'error',
      subject: `Some data of ${experiment} can no longer be found with this key`,
      text: sentence(reasonOf(doubts.filter(({ kind }) => kind === 'gone')) ?? 'it is gone'),
      hint: 'If it was not deleted, ask its owner to share it again: it is read again as soon as the key sees it.',
      ended: `The data of ${experiment} that were gone can be found again`,
      alert: 'when it lasts',
    },
    stream: {
      id: `stream:${idOf(stream)}`,
      name: partOf(stream),
      since: dataAsOf,
      hush: seesNothing(snapshot) ? 'explained' : isHalted(snapshot) ? 'old' : undefined,
    },
  };
}

/** A stream that cannot be read, or that may lack something. */
function unread(stream: StreamView, doubts: readonly Doubt[], snapshot: Snapshot): Finding {
  const { experimentId: experiment, data, scope, standing, lastError, dataAsOf } = stream;
  const isMissingOnly = doubts.length > 0 && doubts.every(({ kind }) => kind === 'missing-upstream');
  const reason = reasonOf(doubts) ?? lastError ?? 'the reason is not known';
  const isRead = standing === 'incomplete';
  const same = reason
    .replaceAll(`${data} of ${experiment}${placeOf(scope)}`, '…')
    .replace(/ \(request id [^)]*\)/g, '')
    .replace(/\d+/g, '#');
  const cannot = isScope(standing) ? scopeCause(standing, reason, same) : undefined;
  return {
    experiment: cannot === undefined ? experiment : undefined,
    cause: cannot ?? {
      id: `stream:${experiment}:${isRead ? 'incomplete' : 'failed'}:${same}`,
      code: isMissingOnly ? 'ROWS_MISSING' : isRead ? 'ANSWER_INCOMPLETE' : 'READ_FAILED',
      severity: isRead ? 'warning' : 'error',
      subject: `Some data of ${experiment} ${isRead ? 'may be incomplete' : 'cannot be read'}`,
      text: sentence(reason),
      hint: isRead
        ? 'The next sync tries again by itself; `hsw status` shows all streams, `hsw verify` compares them with the API.'
        : 'The next sync tries again by itself; `hsw doctor` looks for what is wrong.',
      ended: `The data of ${experiment} that ${isRead ? 'were incomplete' : 'could not be read'} are fine again`,
      // A second reading decides soon what became of rows that one did not find; it takes a day at most.
      alert: isMissingOnly ? 'after a day' : 'when it lasts',
    },
    stream: {
      id: `stream:${idOf(stream)}`,
      name: cannot === undefined ? partOf(stream) : nameOf(stream),
      // How long rows have been missing does not follow from the last read.
      since: isMissingOnly ? undefined : dataAsOf,
      hush: hushOf(stream, snapshot),
    },
  };
}

function isScope(standing: Standing): standing is 'lost' | 'skipped' {
  return standing === 'lost' || standing === 'skipped';
}

/** A scope that the key lacks is one cause, however many experiments there are. */
function scopeCause(standing: 'lost' | 'skipped', reason: string, same: string): Cause {
  return {
    id: `scope:${standing}:${same}`,
    code: 'SCOPE_MISSING',
    severity: 'error',
    subject: `The key may ${standing === 'lost' ? 'no longer' : 'not'} read some data`,
    text: sentence(reason),
    hint: HINTS[standing],
    ended: 'The key may read those data again',
    alert: 'when it lasts',
  };
}

const HINTS = {
  lost: 'Give the key that scope again, or leave the data type out of the configuration (data). The rows that were read are kept.',
  skipped: 'Give the key that scope, or leave the data type out of the configuration (data).',
} as const;

/** What a doubt is told as that does not speak against completeness. */
const NEWS_OF = {
  rederived: {
    code: 'DATA_REDERIVED',
    subject: () => 'HyperStudy changed data that were read before',
    text: (id: string) =>
      `The server derived values of old rows of ${id} again. The tables have the new ones; \`_history\` keeps the former ones.`,
    hint: 'Run analyses that used these data again.',
    alert: 'as news',
  },
  'dropped-writes': {
    code: 'WRITES_DROPPED',
    subject: (id: string) => `HyperStudy lost writes to variables of ${id}`,
    text: () => 'It says so itself. What it lost is listed in `_answer_metadata` (droppedWrites).',
    hint: 'Mind it where conditions or scores hang on these variables, and report it to HyperStudy.',
    alert: 'never',
  },
  'dated-ahead': {
    code: 'ROWS_AHEAD',
    subject: (id: string) => `Some rows of ${id} are dated in the future`,
    text: () =>
      'They lie ahead of the server’s clock. They are kept and counted, and keep no later row from being read.',
    hint: 'Mind them in analyses by time: the clock of a participant’s computer was probably wrong.',
    alert: 'never',
  },
  'shared-id': {
    code: 'IDS_SHARED',
    subject: (id: string) => `Some records of ${id} share an id`,
    text: () => 'All of them are kept, each as a row of its own.',
    hint: 'Do not count on the id alone to name one of these rows.',
    alert: 'never',
  },
} as const satisfies Record<NoteKind, unknown>;

const NEWS: readonly NoteKind[] = ['rederived', 'dropped-writes', 'dated-ahead', 'shared-id'];

function newsOf(stream: StreamView, kind: NoteKind, snapshot: Snapshot): Finding[] {
  const { experimentId: experiment, doubts } = stream;
  const { code, subject, text, hint, alert } = NEWS_OF[kind];
  return doubts
    .filter((doubt) => doubt.kind === kind)
    .map((doubt) => ({
      experiment,
      cause: {
        id: `${kind}:${experiment}`,
        code,
        severity: 'note',
        subject: subject(experiment),
        text: text(experiment),
        hint,
        alert,
      },
      stream: {
        id: `${kind}:${idOf(stream)}:${doubt.text}`,
        name: `${partOf(stream)}: ${doubt.text}`,
        since: undefined,
        hush: hushOf(stream, snapshot),
      },
    }));
}

/** An id at the beginning stays as it is. */
function sentence(text: string): string {
  const begun = text.replace(/^[a-z]+(?=[ ,])/, (word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
