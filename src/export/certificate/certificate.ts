import { z } from 'zod';

const Time = z.string();

/** Rows that changed or were deleted upstream since they were first read, as far as `_history` goes back. */
const Changes = z.object({ rows: z.number(), first: Time.nullable(), last: Time.nullable() });

const DataType = z.object({
  data: z.string(),
  table: z.string(),
  rows: z.number(),
  /** SHA-256 over the records; see `digestOf`. */
  sha256: z.string(),
  /** The oldest and the newest time of a row, where the data type has one. */
  from: Time.nullable(),
  to: Time.nullable(),
  rooms: z.array(z.object({ room: z.string(), rows: z.number() })),
  isComplete: z.boolean(),
  /** Up to when the API was read. */
  dataAsOf: Time.nullable(),
  /** When every record was last compared with the API; null where a part never was. */
  comparedAt: Time.nullable(),
  /** When the number of records was last compared with the API's; null where a part never was. */
  countedAt: Time.nullable(),
  quarantined: z.number(),
  /** Records of people who were erased, which the API still counts. */
  erased: z.number(),
  changed: Changes,
  deleted: Changes,
});

/** What a warehouse holds of an experiment, and how it is known to be all. */
export const Certificate = z.object({
  certificate: z.literal(1),
  product: z.string(),
  madeAt: Time,
  experiment: z.object({ id: z.string(), name: z.string().nullable() }),
  isComplete: z.boolean(),
  /** The answer in one sentence. */
  headline: z.string(),
  dataAsOf: Time.nullable(),
  participations: z.number(),
  rooms: z.number(),
  /** A sentence for each thing that may be missing. */
  lacks: z.array(z.string()),
  /** Data types that the key may not read, and those that were not asked for. */
  unreadable: z.array(z.string()),
  unasked: z.array(z.string()),
  data: z.array(DataType),
});

export type Certificate = z.infer<typeof Certificate>;
export type CertifiedData = z.infer<typeof DataType>;
