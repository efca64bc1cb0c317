/** The policies that are compared, and how each does. */
import { adaptive } from './adaptive.ts';
import { DAY, type Lab } from './lab.ts';
import type { Policy, Setting } from './policy.ts';
import { clairvoyant, cron, roundRobin } from './rivals.ts';
import { play, type Play, type Result } from './run.ts';
import { MINUTE_MS } from '../../../src/shared/time.ts';

export const CONTENDERS: Readonly<Record<string, { title: string; policy: (setting: Setting) => Policy }>> = {
  cron15: { title: 'cron */15', policy: cron(15 * MINUTE_MS) },
  cron5: { title: 'cron */5, as far as the budget goes', policy: cron(5 * MINUTE_MS) },
  roundRobin: { title: 'round robin', policy: roundRobin },
  adaptive: { title: 'adaptive', policy: adaptive() },
  silent: { title: 'adaptive, signals never change', policy: adaptive({ signals: 'silent' }) },
  noisy: { title: 'adaptive, signals always change', policy: adaptive({ signals: 'noisy' }) },
  clairvoyant: { title: 'clairvoyant', policy: clairvoyant },
};

export type PlayOptions = Pick<Play, 'seed' | 'backfill'> & {
  /** Only the first days of the lab. */
  readonly days?: number;
  readonly only?: readonly string[];
};

export function playAll(lab: Lab, { days, only, ...options }: PlayOptions): Record<string, Result> {
  const durationMs = days === undefined ? lab.durationMs : days * DAY;
  return Object.fromEntries(
    Object.entries(CONTENDERS)
      .filter(([name]) => only?.includes(name) ?? true)
      .map(([name, { policy }]) => [name, play({ lab: { ...lab, durationMs }, policy, ...options })]),
  );
}
