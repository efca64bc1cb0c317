import type { Command as Program } from 'commander';
import { DATA_TYPES } from '../datasets/registry.ts';
import type { Selection } from '../schedule/streams.ts';
import { WarehouseError } from '../shared/errors.ts';

/** The flags that limit what a command works on. */
export interface SelectionFlags {
  readonly experiment?: readonly string[];
  readonly data?: readonly string[];
}

/** Adds these flags. */
export function selectable(program: Program): Program {
  return program
    .option('--experiment <id>', 'only this experiment, by its id or name; can be repeated', list)
    .option('--data <type>', 'only this data type; can be repeated', list);
}

/** The values of a flag that can be repeated. */
export const list = (value: string, previous: string[] = []): string[] => [...previous, value];

/** @throws WarehouseError USAGE for a data type that does not exist. */
export function readSelection({ experiment, data }: SelectionFlags): Selection {
  const unknown = data?.filter((name) => !DATA_TYPES.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw new WarehouseError('USAGE', `There is no data type ${unknown.join(', ')}.`, {
      hint: `The data types are: ${DATA_TYPES.join(', ')}.`,
    });
  }
  return {
    ...(experiment === undefined ? {} : { experiments: experiment }),
    ...(data === undefined ? {} : { data }),
  };
}
