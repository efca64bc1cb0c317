import { keyIdOf } from '../budget/key-id.ts';
import type { Config } from '../config/schema.ts';
import { systemClock, type Clock } from '../shared/clock.ts';
import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { plainError } from '../warehouse/open.ts';
import { forgetOutage, rememberOutage } from '../warehouse/outage.ts';
import { openWarehouse, type Warehouse, type WarehouseOptions } from '../warehouse/warehouse.ts';
import { connectApi, type ApiConnection } from './api-connection.ts';
import type { BudgetHooks } from './budget.ts';

/**
 * What a configuration is made into: the warehouse, opened for writing, and the API, whose requests are counted in the
 * ledger.
 */
export interface Runtime extends ApiConnection {
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Opens everything, uses it, and closes it, whatever happens. That the API refused the key or could not be reached is
 * stored for `hsw status`.
 * @throws WarehouseError, also for errors of SQLite about the disk or the file meanwhile.
 */
export async function withRuntime<T>(
  config: Config,
  log: Log,
  hooks: BudgetHooks,
  use: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  const clock = systemClock;
  const options = { ...warehouseOptions(config, clock), privacy: config.privacy };
  return whileOpen(openWarehouse(config.warehouse.path, options), async (warehouse) => {
    const connection = connectApi(config, { db: warehouse.db, clock, log }, hooks);
    const { db } = warehouse;
    try {
      const result = await use({ ...connection, warehouse, clock, log });
      forgetOutage(db, clock.now());
      return result;
    } catch (error) {
      if (error instanceof WarehouseError) rememberOutage(db, error, keyIdOf(config.api.key), clock.now());
      throw error;
    } finally {
      await connection.client.close();
    }
  });
}

/** How a configured warehouse is opened. What stores anything of the API adds what may be stored. */
export function warehouseOptions({ history, warehouse, derive }: Config, clock: Clock): WarehouseOptions {
  return { clock, history, queryIndexes: warehouse.queryIndexes, ratingsGrid: derive.ratingsGrid };
}

/**
 * Uses a warehouse and closes it, whatever happens.
 * @throws WarehouseError, also for errors of SQLite about the disk or the file meanwhile.
 */
export async function whileOpen<T>(warehouse: Warehouse, use: (warehouse: Warehouse) => Promise<T>): Promise<T> {
  try {
    return await use(warehouse);
  } catch (error) {
    throw plainError(warehouse.path, error) ?? error;
  } finally {
    warehouse.close();
  }
}
