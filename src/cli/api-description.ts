import type { Config } from '../config/schema.ts';
import { DATASETS } from '../datasets/registry.ts';
import { openUncounted } from '../runtime/api-connection.ts';
import { systemClock } from '../shared/clock.ts';
import { counted } from '../shared/count.ts';
import { WarehouseError } from '../shared/errors.ts';
import { silentLog } from '../shared/log.ts';
import { formatMinute, SECOND_MS } from '../shared/time.ts';
import { compareWithRegistry, type Finding } from '../spec/compare.ts';
import { copyPath, keepCopy, readCopy, type Copy } from '../spec/copy.ts';
import { readDescription } from '../spec/description.ts';

/** What the API's own description comes to. */
export interface Compared {
  readonly from: string;
  /** One sentence: how many endpoints it describes, or why it is not compared. */
  readonly text: string;
  readonly findings: readonly Finding[];
}

/** Reading YAML takes up to ten seconds a megabyte, and longer than in proportion for more. */
const LARGEST_BYTES = 1024 * 1024;
const PATIENCE_MS = 30 * SECOND_MS;

/** Reads the API's description, at most once a day, and compares it with the data types of this version. */
export async function compareDescription(config: Config, signal: AbortSignal): Promise<Compared> {
  const from = `${config.api.baseUrl}/openapi.yaml`;
  try {
    const { at, status, text, why } = await latest(config, from, signal);
    const nothing = (problem: string) => ({ from, text: `${from} is not compared: ${problem}.`, findings: [] });
    if (status !== 200) return nothing(status === 404 ? 'the server has none (404)' : `the server answers ${status}`);
    if (text === undefined) return nothing(why ?? 'it cannot be read');
    const description = readDescription(text);
    if ('problem' in description) return nothing(description.problem);
    const { version, endpoints, foreign } = description;
    const findings = compareWithRegistry(description, DATASETS);
    const elsewhere = foreign === 0 ? '' : ` ${counted(foreign, 'reference')} to other documents were not followed.`;
    return {
      from,
      text: `${from} of ${formatMinute(at)} (OpenAPI ${version.slice(0, 10)}) describes ${counted(endpoints.length, 'endpoint')}; ${counted(findings.length, 'difference')} to what this version knows.${elsewhere}`,
      findings,
    };
  } catch (error) {
    if (!(error instanceof WarehouseError) || error.code === 'INTERRUPTED') throw error;
    return { from, text: `${from} is not compared: ${error.message}`, findings: [] };
  }
}

async function latest({ api, warehouse }: Config, from: string, signal: AbortSignal): Promise<Copy> {
  const path = copyPath(warehouse.path);
  const kept = readCopy(path, from, systemClock.now());
  if (kept !== undefined) return kept;
  const timeoutMs = Math.min(api.timeoutMs, PATIENCE_MS);
  const client = openUncounted({ ...api, timeoutMs }, systemClock, silentLog, { largestBody: LARGEST_BYTES });
  try {
    const { status, body } = await client.description(signal);
    const copy = { from, at: systemClock.now(), status, ...('text' in body ? { text: body.text } : { why: body.why }) };
    keepCopy(path, copy);
    return copy;
  } finally {
    await client.close();
  }
}
