import { z } from 'zod';
import { keepFresh } from '../../src/cli/commands/daemon.ts';
import { fastClock } from './fast-clock.ts';

// `hsw daemon --json` in a process of its own, with nothing changed but its clock: fast-daemon.ts START FROM SPEED
const [start, from, speed] = z.tuple([z.number(), z.number(), z.number()]).parse(process.argv.slice(2).map(Number));
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const { env, stdin, stdout, stderr } = process;
const context = { json: true, configPath: undefined, env, stdin, stdout, stderr, signal: stop.signal };
process.exitCode = await keepFresh(context, fastClock({ start, from, speed }));
