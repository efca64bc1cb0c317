import { accessSync, constants, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { WarehouseError } from '../shared/errors.ts';
import { createPrivate, makeFolder, refuseUnsafe, shareLike } from '../shared/private-files.ts';

export type Db = Database.Database;

/** Pragmas of a connection that writes; each is asserted by a test. */
export const PRAGMAS = {
  journal_mode: 'wal',
  synchronous: 1, // NORMAL: a power cut may undo the last commits whole, rows and position together
  busy_timeout: 5000,
  foreign_keys: 0,
  wal_autocheckpoint: 4000,
  journal_size_limit: 67_108_864,
  secure_delete: 0,
} as const;

/** The endings of the files that SQLite and the writer's lock keep beside the warehouse. */
export const COMPANIONS = ['-wal', '-shm', '-journal', '.lock'] as const;

/** A schema that ends with the connection; what does not fit this much memory is on the disk. */
export const SCRATCH = 'scratch';
const SCRATCH_KIB = 65_536;

/** Opens the warehouse file for writing, and creates it if needed. Tables come from `migrate`. */
export function openForWriting(path: string): Db {
  refuseSharedFilesystem(path);
  return withPlainErrors(path, () => {
    makeFolder(dirname(path));
    refuseUnsafe(path, COMPANIONS);
    createPrivate(path);
    const db = new Database(path);
    // The page size can be chosen only before the first table.
    db.pragma('page_size = 8192');
    for (const [name, value] of Object.entries(PRAGMAS)) db.pragma(`${name} = ${value}`);
    db.exec(`ATTACH '' AS ${SCRATCH}`);
    db.pragma(`${SCRATCH}.journal_mode = MEMORY`);
    db.pragma(`${SCRATCH}.cache_size = -${SCRATCH_KIB}`);
    // SQLite makes them with the mode of the database, and with the group of this process.
    for (const suffix of ['-wal', '-shm']) if (existsSync(path + suffix)) shareLike(statSync(path), path + suffix);
    return db;
  });
}

/**
 * Keeps what a statement with a trigger needs to undo itself in memory: on the disk it is a copy of each page that a
 * changed row touches. Drops temporary tables and triggers.
 */
export function undoInMemory(db: Db): void {
  db.pragma('temp_store = MEMORY');
}

/**
 * Does what sorts or copies all of the file on a connection of its own, which does so on the disk, whatever
 * `undoInMemory` says.
 */
export function sortOnDisk(db: Db, work: (db: Db) => void): void {
  const other = new Database(db.name, { fileMustExist: true });
  try {
    for (const [name, value] of Object.entries(PRAGMAS)) other.pragma(`${name} = ${value}`);
    work(other);
  } finally {
    other.close();
  }
}

/** Opens an existing warehouse for reading beside a writer. */
export function openForReading(path: string): Db {
  if (!existsSync(path)) {
    throw new WarehouseError('WAREHOUSE_MISSING', `There is no warehouse at ${path} yet.`, {
      hint: 'Run `hsw sync now` first, or choose another config with --config.',
    });
  }
  return withPlainErrors(path, () => new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 }));
}

/**
 * Closes the writer's connection, checkpointed. Empty `-wal` and `-shm` files stay beside the warehouse, as without
 * them a user who can only read its folder could not open it (https://www.sqlite.org/wal.html, "Read-Only Databases").
 */
export function closeForWriting(db: Db): void {
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // On a full disk what is committed stays in the -wal, from where the next connection takes it.
  }
  const stat = statSync(db.name, { throwIfNoEntry: false });
  db.close();
  if (stat === undefined) return;
  for (const suffix of ['-wal', '-shm']) createPrivate(db.name + suffix, stat);
}

/**
 * Returns a check that the path still leads to the open file: SQLite keeps writing to one that was moved, deleted or
 * replaced, and no one would notice.
 */
export function watchFile(path: string): () => void {
  const identity = () => {
    const file = statSync(path, { throwIfNoEntry: false });
    return file === undefined ? 'none' : `${file.dev}:${file.ino}`;
  };
  const own = identity();
  return () => {
    if (identity() === own) return;
    throw new WarehouseError(
      'WAREHOUSE_CORRUPT',
      `The file ${path} was moved, deleted or replaced while it was open. Nothing more is written.`,
      {
        hint: 'Start it again: it continues with the file that is there then, or with a new one. Stop every hsw before you move or restore the file.',
      },
    );
  };
}

/** Filesystems on which SQLite's write-ahead log loses data, by their names in /proc/mounts. */
const SHARED_FILESYSTEMS =
  /^(nfs4?|cifs|smb\d?|smbfs|9p|virtiofs|afs|ceph|glusterfs|lustre|vboxsf|vmhgfs|prl_fs|fuse\.(sshfs|glusterfs|vmhgfs-fuse|rclone|s3fs|davfs2?))$/;

/** The name of the filesystem that a path is on, if the system says so; undefined otherwise. */
export function filesystemOf(path: string, mounts = readMounts()): string | undefined {
  let folder = resolve(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const real = realpathSync(folder);
  const under = (mount: string) => real === mount || real.startsWith(mount.endsWith('/') ? mount : `${mount}/`);
  return mounts
    .filter(({ at }) => under(at))
    .reduce((best, mount) => (mount.at.length >= best.at.length ? mount : best), {
      at: '',
      type: undefined as string | undefined,
    }).type;
}

/** @throws WarehouseError WAREHOUSE_FILESYSTEM where a write-ahead log would be corrupted. */
export function refuseSharedFilesystem(path: string, mounts?: ReturnType<typeof readMounts>): void {
  const type = filesystemOf(path, mounts);
  if (type === undefined || !SHARED_FILESYSTEMS.test(type)) return;
  throw new WarehouseError(
    'WAREHOUSE_FILESYSTEM',
    `The warehouse ${path} is on a shared filesystem (${type}), where SQLite's write-ahead log becomes corrupted. Nothing was written.`,
    {
      hint: 'Set warehouse.path to a folder on a local disk; to share the data, copy it with `sqlite3 FILE "VACUUM INTO \'/shared/copy.db\'"`.',
    },
  );
}

function readMounts(): { at: string; type: string | undefined }[] {
  try {
    const unescape = (text: string) =>
      text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    return readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([, at = '', type]) => ({ at: unescape(at), type }));
  } catch {
    return [];
  }
}

/** Runs what touches the file, and turns SQLite's errors into messages that say what to do. */
export function withPlainErrors<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw plainError(path, error) ?? error;
  }
}

/** The error to show for an error of SQLite or the filesystem; undefined for anything else. */
export function plainError(path: string, error: unknown): WarehouseError | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const { code } = error;
  const say = (kind: ConstructorParameters<typeof WarehouseError>[0], message: string, hint: string) =>
    new WarehouseError(kind, message, { hint, cause: error });
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') {
    return say(
      'WAREHOUSE_FULL',
      `The disk that holds ${path} is full. The last transaction was undone; everything stored before is intact.`,
      'Free some space. The daemon then continues by itself; a command that is run again continues where it stopped.',
    );
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return say(
      'WAREHOUSE_BUSY',
      `Another program keeps the warehouse ${path} locked.`,
      'Close programs that hold a write transaction on the file and try again.',
    );
  }
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return say(
      'WAREHOUSE_CORRUPT',
      `The file ${path} is not an intact SQLite database (${error.message}). Nothing was changed.`,
      'Move the file away and sync again: all data come from the API. Or restore it from a backup.',
    );
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return say(
      'WAREHOUSE_UNWRITABLE',
      `The disk reported an error on ${path} (${error.message}). The last transaction was undone.`,
      'Check the disk and its free space, then run the same command again.',
    );
  }
  if (/^(SQLITE_(CANTOPEN|READONLY|PERM)|EACCES|EROFS|EPERM|ENOTDIR|EEXIST)/.test(code)) {
    return say(
      'WAREHOUSE_UNWRITABLE',
      `The warehouse ${path} cannot be ${isWritable(dirname(path)) ? 'opened' : 'written: its folder is not writable'} (${error.message}).`,
      'Check warehouse.path in the config and who owns the folder and the file.',
    );
  }
  return undefined;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
