import { z } from 'zod';
import { datasetNamed, DATA_TYPES } from '../datasets/registry.ts';
import { streamText, type Stream } from '../datasets/stream.ts';
import type { StreamResult } from '../sync/stream.ts';

/** How a sync that was handed over goes. */
export type Event =
  | { readonly stream: Stream; readonly page: { readonly fetched: number; readonly total: number | undefined } }
  /** A stream begins or, with what came of it, has ended. */
  | { readonly stream: Stream; readonly ended?: StreamResult };

const Names = z.array(z.string()).optional();

/** What the command line asks for: one line of JSON. */
export const AskedMessage = z
  .strictObject({
    selection: z.strictObject({ experiments: Names, data: Names }),
    full: z.boolean(),
    acceptDeletes: z.boolean(),
  })
  .transform(({ selection: { experiments, data }, ...rest }) => ({
    ...rest,
    selection: { ...(experiments === undefined ? {} : { experiments }), ...(data === undefined ? {} : { data }) },
  }));

const Filter = z.record(z.string(), z.union([z.string(), z.boolean()]));

const StreamMessage = z.object({
  experimentId: z.string(),
  data: z.enum(DATA_TYPES),
  scope: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('experiment') }),
    z.object({ kind: z.literal('room'), id: z.string() }),
    z.object({ kind: z.literal('deployment'), id: z.string() }),
    z.object({ kind: z.literal('participant'), id: z.string(), room: z.string() }),
  ]),
  filter: Filter.optional(),
});

const count = z.number();
const Result = z.object({
  experiment: z.string(),
  data: z.string(),
  room: z.string().exactOptional(),
  participant: z.string().exactOptional(),
  deployment: z.string().exactOptional(),
  filter: Filter.exactOptional(),
  status: z.enum(['ok', 'incomplete', 'skipped', 'failed']),
  fetched: count,
  inserted: count,
  updated: count,
  unchanged: count,
  deleted: count,
  requests: count,
  oldestNew: z.string().nullable(),
  watermark: z.string().nullable(),
  complete: z.boolean(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().exactOptional() }).exactOptional(),
});

/** What the daemon answers: lines of JSON, the last of them a result or an error. */
export const EventMessage = z.union([
  z.object({
    result: z.object({
      status: z.enum(['ok', 'partial']),
      requests: count,
      durationMs: count,
      streams: z.array(Result),
    }),
  }),
  z.object({ error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }) }),
  z.object({
    stream: StreamMessage,
    page: z.object({ fetched: count, total: count.optional() }),
  }),
  z.object({ stream: StreamMessage, ended: Result.optional() }),
]);

export function toMessage(event: Event): unknown {
  const { experimentId, dataset, scope, filter } = event.stream;
  return { ...event, stream: { experimentId, data: dataset.name, scope, filter } };
}

const streams = new Map<string, Stream>();

/** The stream of a message; the same object for the same stream, as progress is shown by it. */
export function streamOf({ experimentId, data, scope, filter }: z.infer<typeof StreamMessage>): Stream {
  const made: Stream = {
    experimentId,
    dataset: datasetNamed(data),
    scope,
    ...(filter === undefined ? {} : { filter }),
  };
  const known = streams.get(streamText(made)) ?? made;
  streams.set(streamText(made), known);
  return known;
}
