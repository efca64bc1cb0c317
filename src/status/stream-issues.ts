import { keyScopesOf } from '../datasets/key-scopes.ts';
import { isBlocking, reasonOf, type Doubt, type NoteKind } from '../warehouse/doubts.ts';
import { isFine, type Standing } from '../warehouse/standing.ts';
import type { AffectedStream, Issue } from './issue.ts';
import { isHalted, seesNothing, type Snapshot, type StreamView } from './snapshot.ts';
import { idOf, nameOf, partOf } from './stream-name.ts';

/** What is wrong with streams, and what readers should know about them: each cause once. */
export function streamIssues(snapshot: Snapshot): Issue[] {
  const found = snapshot.experiments
    .filter(({ isGone }) => !isGone)
    .flatMap(({ streams }) => streams)
    .flatMap((stream) => findingsOf(stream, snapshot));
  return [...Map.groupBy(found, ({ cause }) => cause.id).values()].flatMap(gathered);
}

/** What is wrong, without what it affects. */
type Cause = Omit<Issue, 'since' | 'scope' | 'ended' | 'suppressed'> & { readonly ended?: string };

/** One thing that is wrong with one stream. */
interface Finding {
  /** Undefined if the cause may affect any experiment. */
  readonly experiment: string | undefined;
  readonly cause: Cause;
  readonly stream: AffectedStream;
}

/** The issue of all findings with one cause, in the words of one that is not suppressed. */
function gathered(findings: readonly Finding[]): Issue[] {
  const first = findings.find(({ stream }) => stream.suppressed === undefined) ?? findings[0];
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
  const stopped = stream.doubts.filter(({ kind }) => kind === 'schema');
  const notes = [
    ...NOTE_KINDS.flatMap((kind) => notesOf(stream, kind, snapshot)),
    ...(stopped.length === 0 ? [] : [stoppedFinding(stream, stopped, snapshot)]),
  ];
  // A first read in progress is not an issue.
  if (isFine(stream) || standing === 'unread') return notes;
  if (standing === 'gone') return [partGone(stream, snapshot)];
  const withheld = stream.doubts.filter(({ kind }) => kind === 'withheld');
  const others = stream.doubts.filter(
    (doubt) => isBlocking(doubt) && doubt.kind !== 'withheld' && doubt.kind !== 'schema',
  );
  // What else speaks against it is not known before it is read on.
  if (stopped.length > 0 && withheld.length === 0) return notes;
  const held = withheldFinding(stream, withheld, snapshot);
  // Whether withheld rows are still missing is not known until the stream is read again.
  if (withheld.length === 0) return [...notes, unread(stream, others, snapshot), held];
  return [...notes, held, ...(others.length === 0 ? [] : [unread(stream, others, snapshot)])];
}

/** An outage explains why a stream failed; an issue from before the outage may be over. */
function suppressionOf({ lastSyncAt, standing }: StreamView, snapshot: Snapshot): AffectedStream['suppressed'] {
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
      subject: `Rows of ${experiment} are no longer in the API and are withheld from deletion`,
      text: sentence(text ?? 'whether rows are still withheld is not known'),
      hint: 'If these rows should be deleted here too, run: hsw sync now --accept-deletes',
      ended: `No rows of ${experiment} are withheld from deletion any more`,
      alert: 'when it lasts',
    },
    stream: {
      id: `deletes:${idOf(stream)}`,
      name: partOf(stream),
      since: stream.dataAsOf,
      suppressed: text === undefined ? 'unknown' : suppressionOf(stream, snapshot),
    },
  };
}

/** Records came in another shape, and the configuration wants that accepted first. */
function stoppedFinding(stream: StreamView, stopped: readonly Doubt[], snapshot: Snapshot): Finding {
  const { data } = stream;
  return {
    experiment: undefined,
    cause: {
      id: `schema-frozen:${data}`,
      code: 'SCHEMA_FROZEN',
      severity: 'warning',
      subject: `Records of ${data} changed their shape, and streams are stopped`,
      text: `${sentence(reasonOf(stopped) ?? 'what changed is not known')} The rows that came are kept; nothing more is requested.`,
      hint: 'Look at `_schema_changes`. To accept what changed and read on, run: hsw sync now --accept-schema',
      ended: `Records of ${data} are read again`,
      alert: 'at once',
    },
    stream: {
      id: `schema-frozen:${idOf(stream)}`,
      name: nameOf(stream),
      since: undefined,
      suppressed: suppressionOf(stream, snapshot),
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
      hint: 'If it was not deleted, ask its owner to share it again: it is read again as soon as the key can see it.',
      ended: `The missing data of ${experiment} can be found again`,
      alert: 'when it lasts',
    },
    stream: {
      id: `stream:${idOf(stream)}`,
      name: partOf(stream),
      since: dataAsOf,
      suppressed: seesNothing(snapshot) ? 'explained' : isHalted(snapshot) ? 'old' : undefined,
    },
  };
}

/** A stream that cannot be read or may be incomplete. */
function unread(stream: StreamView, doubts: readonly Doubt[], snapshot: Snapshot): Finding {
  const { experimentId: experiment, data, standing, lastError, dataAsOf } = stream;
  const isMissingOnly = doubts.length > 0 && doubts.every(({ kind }) => kind === 'missing-upstream');
  const reason = reasonOf(doubts) ?? lastError ?? 'the reason is not known';
  const isRead = standing === 'incomplete';
  const cannot = isScope(standing) ? scopeCause(standing, data, reason) : undefined;
  return {
    experiment: cannot === undefined ? experiment : undefined,
    cause: cannot ?? {
      id: `stream:${experiment}:${isRead ? 'incomplete' : 'failed'}:${causeOf(doubts)}`,
      code: isMissingOnly ? 'ROWS_MISSING' : isRead ? 'ANSWER_INCOMPLETE' : 'READ_FAILED',
      severity: isRead ? 'warning' : 'error',
      subject: `Some data of ${experiment} ${isRead ? 'may be incomplete' : 'cannot be read'}`,
      text: sentence(reason),
      hint: isRead
        ? 'The next sync tries again by itself; `hsw status` shows all streams, and `hsw verify` compares them with the API.'
        : 'The next sync tries again by itself; `hsw doctor` looks for the cause.',
      ended: `The data of ${experiment} that ${isRead ? 'were incomplete are complete' : 'could not be read can be read'} again`,
      // A second reading decides whether missing rows were deleted, usually soon and within a day at most.
      alert: isMissingOnly ? 'after a day' : 'when it lasts',
    },
    stream: {
      id: `stream:${idOf(stream)}`,
      name: cannot === undefined ? partOf(stream) : nameOf(stream),
      // The last read does not show how long rows have been missing.
      since: isMissingOnly ? undefined : dataAsOf,
      suppressed: suppressionOf(stream, snapshot),
    },
  };
}

function isScope(standing: Standing): standing is 'lost' | 'skipped' {
  return standing === 'lost' || standing === 'skipped';
}

/** What streams that share a cause have in common: the kinds of their doubts, and the error of a failed read. */
function causeOf(doubts: readonly Doubt[]): string {
  return [...new Set(doubts.map(({ kind, code }) => code ?? kind))].sort().join(',');
}

/** A scope that the key lacks is one cause, regardless of how many experiments it affects. */
function scopeCause(standing: 'lost' | 'skipped', data: string, reason: string): Cause {
  return {
    id: `scope:${standing}:${keyScopesOf(data).join(',') || data}`,
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
  lost: 'Give the key that scope again, or remove the data type from the configuration (data). Its rows are kept.',
  skipped: 'Give the key that scope, or remove the data type from the configuration (data).',
} as const;

/** The issues of doubts that do not speak against completeness. */
const NOTES = {
  rederived: {
    code: 'DATA_REDERIVED',
    subject: () => 'HyperStudy changed data that were read before',
    text: (id: string) =>
      `The server derived values of old rows of ${id} again. The tables have the new values; \`_history\` keeps the previous ones.`,
    hint: 'Run analyses that used these data again.',
    alert: 'once',
  },
  'dropped-writes': {
    code: 'WRITES_DROPPED',
    subject: (id: string) => `HyperStudy lost writes to variables of ${id}`,
    text: () => 'The API reports this itself. `_answer_metadata` lists what was lost (droppedWrites).',
    hint: 'Check whether conditions or scores depend on these variables, and report it to HyperStudy.',
    alert: 'never',
  },
  'dated-ahead': {
    code: 'ROWS_AHEAD',
    subject: (id: string) => `Some rows of ${id} are dated in the future`,
    text: () => 'Their times are ahead of the server’s clock. They are kept and counted, and no later row is missed.',
    hint: 'Take care in analyses by time: the clock of a participant’s computer was probably wrong.',
    alert: 'never',
  },
  'shared-id': {
    code: 'IDS_SHARED',
    subject: (id: string) => `Some records of ${id} share an id`,
    text: () => 'All of them are kept, each as a row of its own.',
    hint: 'Do not rely on the id alone to identify one of these rows.',
    alert: 'never',
  },
} as const satisfies Record<NoteKind, unknown>;

const NOTE_KINDS: readonly NoteKind[] = ['rederived', 'dropped-writes', 'dated-ahead', 'shared-id'];

function notesOf(stream: StreamView, kind: NoteKind, snapshot: Snapshot): Finding[] {
  const { experimentId: experiment, doubts } = stream;
  const { code, subject, text, hint, alert } = NOTES[kind];
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
        suppressed: suppressionOf(stream, snapshot),
      },
    }));
}

/** Makes a text a sentence; an id at its beginning keeps its case. */
function sentence(text: string): string {
  const begun = text.replace(/^[a-z]+(?=[ ,])/, (word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
