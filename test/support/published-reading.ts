import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Json } from '../../src/shared/json.ts';
import { hsw } from './command.ts';
import { KEY } from './config.ts';
import { Outcome } from './frames.ts';
import { accountsOf } from './published-accounts.ts';
import { servePublished } from './published.ts';
import { runSdk } from './sdk.ts';

const SCRIPT = join(import.meta.dirname, '..', 'interop', 'published_answers.py');

/** A call of the SDK, and the view that must hold what its DataFrame holds. */
export interface Frame {
  readonly account: string;
  readonly data: string;
  readonly call: string;
  readonly args: readonly ('study' | 'batch' | 'modelled' | 'room')[];
  readonly options?: Readonly<Record<string, Json>>;
  /** The part of the view that the call asks for. */
  readonly where?: string;
}

export const nameOf = ({ account, call }: Frame) => `${call} of ${account}`;

/** Serves every published answer, mirrors it with the real command, and asks the SDK for the same. */
export async function readPublished(folder: string, frames: readonly Frame[]) {
  const { ids, accounts, tables, bodyOf } = accountsOf(folder);
  const server = await servePublished(accounts);
  const home = mkdtempSync(join(tmpdir(), 'hsw-'));
  const mirror = async (account: string) => {
    const cwd = join(home, account);
    mkdirSync(cwd);
    const config = {
      api: { baseUrl: server.urlOf(account) },
      warehouse: { path: 'warehouse.db' },
      experiments: [{ all: true }],
      options: { 'agent-decisions': { detail: true } },
    };
    writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
    const run = (...args: string[]) => hsw(args, { cwd, env: { HYPERSTUDY_API_KEY: KEY } });
    const ran = await run('sync', 'now');
    const again = account in tables ? await run('sync', 'now') : undefined;
    return { account, run, ran, again, path: join(cwd, 'warehouse.db') };
  };
  const mirrors: Awaited<ReturnType<typeof mirror>>[] = [];
  for (const account of Object.keys(accounts)) mirrors.push(await mirror(account));

  const events = (account: string) => [server.urlOf(account), 'get_events', [ids.study], {}];
  const calls = {
    ...Object.fromEntries(
      frames.map((frame) => [
        nameOf(frame),
        [server.urlOf(frame.account), frame.call, frame.args.map((name) => ids[name]), frame.options ?? {}],
      ]),
    ),
    deployment: [server.urlOf('study'), 'get_deployment', [ids.batch], {}],
    decision: [server.urlOf('agents'), 'get_agent_decision', [ids.room, ids.decision], {}],
    truncated: [server.urlOf('agents'), 'get_agent_decisions', [ids.modelled], {}],
    warned: events('warned'),
    refused: events('refused'),
    forbidden: events('forbidden'),
  };
  const asked = await runSdk(SCRIPT, {
    env: { HYPERSTUDY_API_KEY: KEY },
    input: JSON.stringify(calls),
  });
  server.close();
  if (asked.status !== 0) throw new Error(asked.stderr);
  const outcomes = z.record(z.string(), Outcome).parse(JSON.parse(asked.stdout));
  return { home, mirrors, tables, outcomes, served: server.served, bodyOf };
}
