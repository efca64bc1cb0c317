import { z } from 'zod';

/** A boolean, also as SQLite has it. */
export const BOOLEAN = z
  .number()
  .transform((value) => value === 1)
  .or(z.boolean());

/** How data were accounted for, as manifests have it. */
export const ACCOUNTED = {
  rows: z.number(),
  /** How many records the API counts; null where it counts none of them. */
  apiTotal: z.number().nullable(),
  quarantined: z.number(),
  withheld: z.number(),
  missing: z.number(),
  dataAsOf: z.string().nullable(),
  verifiedAt: z.string().nullable(),
  accountedAt: z.string().nullable(),
};
