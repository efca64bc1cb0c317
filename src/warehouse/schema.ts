import { core, index, integer, real, sqliteTable, text, uniqueIndex } from '../shared/drizzle.ts';

/**
 * The warehouse's own tables; the data types' tables come from `src/datasets`. Names starting with `_` are internal.
 */

/** One row for each stream: how far it has been read safely, and what is known about its completeness. */
export const streams = sqliteTable(
  '_streams',
  {
    experimentId: text('experiment_id').notNull(),
    data: text('data').notNull(),
    /** `experiment`, `room:ID`, `participant:ID@ROOM` or `deployment:ID`. */
    scope: text('scope').notNull(),
    /** Everything up to this server time has been read; made of the records' own times. */
    watermark: text('watermark'),
    /** 1 once the first read has reached the end. */
    backfilled: integer('backfilled').notNull().default(0),
    /** 1 when the table holds everything that the API held at `data_as_of`, as far as is known. */
    complete: integer('complete').notNull().default(0),
    /** Why not complete, in words. */
    reason: text('reason'),
    /** Local time at which the last successful read began. */
    dataAsOf: text('data_as_of'),
    /** Local time at which all of the stream was last read and compared. */
    verifiedAt: text('verified_at'),
    /** Local time at which its changing part was last listed completely. */
    listedAt: text('listed_at'),
    /** Local time at which the nightly run last compared it with the API's counts. */
    countedAt: text('counted_at'),
    /** The rolling re-read in progress: when it began (local time) and how far it is (server time). */
    rereadBegan: text('reread_began'),
    rereadTo: text('reread_to'),
    rows: integer('rows').notNull().default(0),
    /** 1 when the room is over and was verified afterwards: it is left alone until the next reconcile. */
    finished: integer('finished').notNull().default(0),
    /** Rows that were first seen behind the watermark, and how late (first seen − timestamp) the latest one was. */
    lateRows: integer('late_rows').notNull().default(0),
    latestMs: integer('latest_ms').notNull().default(0),
    lastStatus: text('last_status'),
    lastError: text('last_error'),
    lastSyncAt: text('last_sync_at'),
    /**
     * What speaks against completeness, as a JSON list of {kind, text, count}; null in a file of an earlier version.
     */
    doubts: text('doubts'),
    /** How many records the API counts, without a time filter, and when that was last compared (local time). */
    apiTotal: integer('api_total'),
    accountedAt: text('accounted_at'),
    /** Local time at which a clean reading last showed as many records as are held, the quarantined ones included. */
    balancedAt: text('balanced_at'),
    /**
     * Records that could not be stored as rows; rows withheld from deletion; rows missing in one reading; rows dated
     * ahead.
     */
    quarantinedRecords: integer('quarantined_records').notNull().default(0),
    withheldRows: integer('withheld_rows').notNull().default(0),
    missingRows: integer('missing_rows').notNull().default(0),
    datedAheadRows: integer('dated_ahead_rows').notNull().default(0),
    /** Rows deleted in the day that began at `deleted_from` (local time), for the delete guard. */
    deletedRows: integer('deleted_rows').notNull().default(0),
    deletedFrom: text('deleted_from'),
    /** Why the whole stream is to be read again; null if it is not. */
    rereadReason: text('reread_reason'),
    /** What the server last said: the version of its processing, and when the experiment started. */
    serverBasis: text('server_basis'),
    /** Rows in this stream's answers that by their own words belong to another part of the experiment. */
    elsewhereRows: integer('elsewhere_rows').notNull().default(0),
  },
  (t) => [core.primaryKey({ columns: [t.experimentId, t.data, t.scope] })],
);

/** The time from which the server counts the onsets of a part of an experiment, and the version of its processing. */
export const experimentStarts = sqliteTable(
  '_experiment_starts',
  {
    experimentId: text('experiment_id').notNull(),
    /** The data type whose answers said so, and its stream's scope as in `_streams`. */
    data: text('data').notNull(),
    scope: text('scope').notNull(),
    /** The room, if they were those of one. */
    roomId: text('room_id'),
    startedAt: text('started_at'),
    processingVersion: text('processing_version'),
    /** Local time at which it was first said. */
    since: text('since').notNull(),
  },
  (t) => [core.primaryKey({ columns: [t.experimentId, t.data, t.scope] })],
);

/** Data in the metadata of answers, such as the timeline of a room's variables. */
export const answerMetadata = sqliteTable(
  '_answer_metadata',
  {
    experimentId: text('experiment_id').notNull(),
    data: text('data').notNull(),
    /** The stream's scope, as in `_streams`. */
    scope: text('scope').notNull(),
    member: text('member').notNull(),
    /** JSON. */
    value: text('value').notNull(),
    /** Local time at which it was first said so. */
    since: text('since').notNull(),
  },
  (t) => [core.primaryKey({ columns: [t.experimentId, t.data, t.scope, t.member] })],
);

/** Rows that a clean reading no longer found in the API: a second reading that agrees deletes them. */
export const missingRows = sqliteTable(
  '_missing_rows',
  {
    experimentId: text('experiment_id').notNull(),
    data: text('data').notNull(),
    /** The stream's scope, as in `_streams`. */
    scope: text('scope').notNull(),
    key: text('key').notNull(),
    /** Local time of the reading that first missed it, and of the last one that did. */
    missedAt: text('missed_at').notNull(),
    lastMissedAt: text('last_missed_at').notNull(),
  },
  (t) => [core.primaryKey({ columns: [t.experimentId, t.data, t.scope, t.key] })],
);

/** Rooms of large listings that were read completely after they were over: they are left alone. */
export const verifiedRooms = sqliteTable(
  '_verified_rooms',
  {
    experimentId: text('experiment_id').notNull(),
    data: text('data').notNull(),
    room: text('room_id').notNull(),
    verifiedAt: text('verified_at').notNull(),
  },
  (t) => [core.primaryKey({ columns: [t.experimentId, t.data, t.room] })],
);

/** What was learned about an endpoint's undocumented behaviour, as JSON, so that it is learned once. */
export const endpoints = sqliteTable('_endpoints', {
  endpoint: text('endpoint').primaryKey(),
  learned: text('learned').notNull(),
  updatedAt: text('updated_at').notNull(),
});

/** Parts of answers that are not records, stored with the reason. */
export const quarantine = sqliteTable(
  '_quarantine',
  {
    experimentId: text('experiment_id').notNull(),
    data: text('data').notNull(),
    key: text('key').notNull(),
    /** The stream's scope, as in `_streams`. */
    scope: text('scope').notNull().default('experiment'),
    reason: text('reason').notNull(),
    record: text('record').notNull(),
    firstSeenAt: text('first_seen_at').notNull(),
    /** When an answer last contained it; null in a file of an earlier version. */
    lastSeenAt: text('last_seen_at'),
    /** 1: it is not known which values are meant, so that not even its id is certain. */
    isUnclear: integer('is_unclear').notNull().default(0),
  },
  (t) => [core.primaryKey({ columns: [t.experimentId, t.data, t.key] })],
);

/** Earlier versions of rows that changed or were deleted. */
export const history = sqliteTable(
  '_history',
  {
    id: integer('id').primaryKey(),
    tableName: text('table_name').notNull(),
    experimentId: text('experiment_id').notNull(),
    key: text('key').notNull(),
    /** `changed` or `deleted`. */
    what: text('what').notNull(),
    at: text('at').notNull(),
    /** The earlier row: a JSON object of its columns. */
    record: text('record').notNull(),
    /** The run that changed or deleted it; null: it was changed before runs were recorded. */
    runId: integer('run_id'),
  },
  (t) => [index('_history_by_key').on(t.tableName, t.experimentId, t.key)],
);

/** One row for each run: what it was for, how it ended and what it changed; see `runs.ts`. */
export const runs = sqliteTable('_runs', {
  id: integer('id').primaryKey(),
  kind: text('kind').notNull(),
  version: text('version').notNull(),
  options: text('options'),
  startedAt: text('started_at').notNull(),
  endedAt: text('ended_at'),
  outcome: text('outcome'),
  error: text('error'),
  readings: integer('readings').notNull().default(0),
  incompleteStreams: integer('incomplete_streams').notNull().default(0),
  requests: integer('requests').notNull().default(0),
  inserted: integer('inserted').notNull().default(0),
  updated: integer('updated').notNull().default(0),
  deleted: integer('deleted').notNull().default(0),
  markedMissing: integer('marked_missing').notNull().default(0),
});

/** What a run changed in each stream; streams in which it changed nothing have no row. */
export const runStreams = sqliteTable(
  '_run_streams',
  {
    runId: integer('run_id').notNull(),
    experimentId: text('experiment_id').notNull(),
    data: text('data').notNull(),
    /** The stream's scope, as in `_streams`. */
    scope: text('scope').notNull(),
    inserted: integer('inserted').notNull(),
    updated: integer('updated').notNull(),
    deleted: integer('deleted').notNull(),
    markedMissing: integer('marked_missing').notNull(),
  },
  (t) => [core.primaryKey({ columns: [t.runId, t.experimentId, t.data, t.scope] })],
);

/** Requests spent; see `src/budget/ledger.ts`. */
export const ledger = sqliteTable(
  '_ledger',
  {
    id: integer('id').primaryKey(),
    keyId: text('key_id').notNull(),
    /** `request`: one of ours; `pause`: the API asked for one; `others`: assumed to be another program's. */
    kind: text('kind').notNull().default('request'),
    /** Null for all of them, for a pause or for what others spent. */
    endpoint: text('endpoint'),
    /** 0 for the most important, 9 for what can wait. */
    priority: integer('priority').notNull().default(5),
    bootId: text('boot_id').notNull(),
    startedUp: integer('started_up').notNull(),
    startedAt: integer('started_at').notNull(),
    endedUp: integer('ended_up'),
    endedAt: integer('ended_at'),
  },
  (t) => [index('_ledger_by_key').on(t.keyId, t.endpoint)],
);

/** What the daemon has to remember across restarts, each as JSON under a name. */
export const state = sqliteTable('_state', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
  updatedAt: text('updated_at').notNull(),
});

/** How many rows the warehouse held at a time, for the dashboard. */
export const growth = sqliteTable('_growth', {
  at: text('at').primaryKey(),
  rows: integer('rows').notNull(),
});

/** Every column of every table, for readers: what it means, its unit and the source of that. */
export const dataDictionary = sqliteTable(
  '_data_dictionary',
  {
    tableName: text('table_name').notNull(),
    columnName: text('column_name').notNull(),
    type: text('type').notNull(),
    unit: text('unit'),
    /** 1: the numbers 0 and 1 stand for false and true. */
    isBoolean: integer('is_boolean').notNull().default(0),
    meaning: text('meaning').notNull(),
    source: text('source').notNull(),
    /** What it means that there is no value. */
    missing: text('missing').notNull().default(''),
    /** The values that it may have, as far as they are known; they are joined by commas. */
    allowedValues: text('allowed_values'),
    /** What it reveals about a person; see `datasets/privacy.ts`. */
    privacy: text('privacy').notNull().default('unknown'),
  },
  (t) => [core.primaryKey({ columns: [t.tableName, t.columnName] })],
);

/** The columns that members of JSON columns and of `extra` got in a data type's table: a name is given once. */
export const columnNames = sqliteTable(
  '_column_names',
  {
    /** The table. */
    relation: text('relation').notNull(),
    /** The column and the member, as in `response.value`. */
    path: text('path').notNull(),
    /** Null: it has none, as there are too many, or its name cannot be one. */
    column: text('column'),
    /**
     * The values in it: text, number, boolean, json; type, of a member with a column for each type; mixed: the name that
     * these begin with, which is no column; reserved: no value was seen yet.
     */
    type: text('type').notNull(),
    unit: text('unit'),
    /** Local time at which it was first seen; null: by an earlier version. */
    since: text('since'),
  },
  (t) => [
    core.primaryKey({ columns: [t.relation, t.path, t.type] }),
    uniqueIndex('_column_names_by_column').on(t.relation, t.column),
  ],
);

/** Fields and types that records brought and that neither the declaration nor the file knew, for readers. */
export const schemaChanges = sqliteTable(
  '_schema_changes',
  {
    id: integer('id').primaryKey(),
    data: text('data').notNull(),
    /** Null for what is too much to be listed. */
    field: text('field'),
    /** `new field`, `changed type`, or `more`. */
    change: text('change').notNull(),
    /** Types as in JSON: text, number, boolean, object, list, null; several are joined by "or". */
    typeBefore: text('type_before'),
    typeNow: text('type_now'),
    /** Whose records first brought it. */
    experimentId: text('experiment_id').notNull(),
    records: integer('records').notNull(),
    /** The earliest time of these records, by the server. */
    since: text('since'),
    /** Local time at which it was first read. */
    seenAt: text('seen_at').notNull(),
    /** Local time at which it was accepted; null while streams are stopped for it. */
    acceptedAt: text('accepted_at'),
  },
  (t) => [index('_schema_changes_by_data').on(t.data, t.seenAt)],
);

/** The types that the values of fields were seen to have, where the declaration does not settle them. */
export const fieldTypes = sqliteTable(
  '_field_types',
  {
    data: text('data').notNull(),
    field: text('field').notNull(),
    type: text('type').notNull(),
    /** The row of `_schema_changes` that lists it, if one does. */
    changeId: integer('change_id'),
  },
  (t) => [core.primaryKey({ columns: [t.data, t.field, t.type] })],
);

/** People who were erased, and whose records are not stored again. */
export const erasedPeople = sqliteTable('_erased_people', {
  id: integer('id').primaryKey(),
  /** A keyed hash of the participant's id; the key is in `_state`. */
  person: text('person').notNull(),
  /** The same of the room; null: in every room. */
  room: text('room'),
  erasedAt: text('erased_at').notNull(),
});

/** Records of erased people that the API still sends: they are counted, so that every record is accounted for. */
export const erasedRecords = sqliteTable(
  '_erased_records',
  {
    experimentId: text('experiment_id').notNull(),
    data: text('data').notNull(),
    /** A keyed hash of the record's key. */
    mark: text('mark').notNull(),
    /** The scope and the filter of the request that brought it first, as in `_streams`. */
    scope: text('scope').notNull(),
    roomId: text('room_id'),
    time: text('time'),
    lastSeenAt: text('last_seen_at').notNull(),
  },
  (t) => [
    core.primaryKey({ columns: [t.experimentId, t.data, t.mark] }),
    index('_erased_records_by_time').on(t.experimentId, t.data, t.time),
  ],
);

/** What each erasure did, in numbers. */
export const erasures = sqliteTable('_erasures', {
  id: integer('id').primaryKey(),
  at: text('at').notNull(),
  version: text('version').notNull(),
  /** How many rows were erased, and in how many others the id was replaced, by table, as JSON. */
  receipt: text('receipt').notNull(),
  /** When the freed pages were overwritten; null: not yet. */
  overwrittenAt: text('overwritten_at'),
});

/** The file of each recording: where it is and what is in it, or why it is not held; see `media.ts`. */
export const mediaFiles = sqliteTable(
  'media_files',
  {
    experimentId: text('experiment_id').notNull(),
    /** Of the row in `recordings`. */
    key: text('key').notNull(),
    recordingId: text('recording_id'),
    roomId: text('room_id'),
    participantId: text('participant_id'),
    type: text('type'),
    status: text('status').notNull(),
    path: text('path'),
    bytes: integer('bytes'),
    sha256: text('sha256'),
    /** What `recordings.file_size` said when it was fetched. */
    saidBytes: integer('said_bytes'),
    videoOffset: real('video_offset'),
    roomZero: text('room_zero'),
    fetchedAt: text('fetched_at'),
    tries: integer('tries').notNull().default(0),
    retryAt: text('retry_at'),
    problem: text('problem'),
    /** Of the part that was downloaded: what it is a part of. */
    etag: text('etag'),
    totalBytes: integer('total_bytes'),
  },
  (t) => [core.primaryKey({ columns: [t.experimentId, t.key] }), uniqueIndex('media_files_by_path').on(t.path)],
);
