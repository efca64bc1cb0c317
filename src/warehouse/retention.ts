import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { command } from '../shared/sqlite.ts';
import { DAY_MS, formatTime } from '../shared/time.ts';
import type { Db } from './open.ts';
import { recall, remember } from './state.ts';

/** Whether earlier versions are kept: for good, never, or for some milliseconds. */
export type History = boolean | { readonly keep: number };

const NAME = 'retention';

/**
 * Ends what has been kept long enough, once a day: earlier versions of rows, and backups of migrations. What it deletes is
 * overwritten in the file.
 */
export function endOld(db: Db, history: History, now: number): void {
  if (typeof history === 'boolean') return;
  const last = z.number().parse(JSON.parse(recall(db, NAME) ?? '0'));
  if (last <= now && now - last < DAY_MS) return;
  const before = formatTime(now - history.keep);
  const secure = Number(db.pragma('secure_delete', { simple: true }));
  db.pragma('secure_delete = ON');
  try {
    db.transaction(() => {
      command(db, 'DELETE FROM _history WHERE at < ?')(before);
      remember(db, NAME, JSON.stringify(now), now);
    }).immediate();
  } finally {
    db.pragma(`secure_delete = ${secure}`);
  }
  for (const backup of backupsOf(db.name)) if (statSync(backup).mtimeMs < now - history.keep) rmSync(backup);
}

/** Backups of migrations, which lie beside the warehouse. */
export function backupsOf(path: string): string[] {
  const [folder, name] = [dirname(path), basename(path)];
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${name}.before-`))
    .map((file) => join(folder, file));
}
