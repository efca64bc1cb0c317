import { join, dirname } from 'node:path';
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Config } from '../../config/schema.ts';
import { runOrDelegate } from '../../control/run-or-delegate.ts';
import { openReader } from '../../runtime/reader.ts';
import { warehouseOptions, whileOpen } from '../../runtime/runtime.ts';
import { systemClock } from '../../shared/clock.ts';
import { counted } from '../../shared/count.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { createPrivate } from '../../shared/private-files.ts';
import { queryValues } from '../../shared/sqlite.ts';
import { openWarehouse, type Erasure } from '../../warehouse/warehouse.ts';
import { askOn } from '../ask.ts';
import { readConfig, type Command, type CommandContext, type Describe } from '../context.ts';

interface EraseFlags {
  readonly participant: string;
  readonly room?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export const describe: Describe = (program, run) => {
  program
    .requiredOption('--participant <id>', 'whom to erase, by the id in `participants.participant_id`')
    .option('--room <id>', 'only in this room; without it in every room of every experiment')
    .option('--dry-run', 'only say what would be erased')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Erases a person who withdraws: their rows, former versions and malformed records, and their id in what others sent.
The file is then rewritten, so that no byte of them is left in it, and no later sync brings them back. It cannot be
undone. HyperStudy keeps its own copy: delete the participant there as well.

Examples:
  hsw erase --participant user_abc123 --dry-run
  hsw erase --participant user_abc123
  hsw erase --participant p1 --room room_abc123 --yes`,
    )
    .action((flags: EraseFlags) => run(eraseCommand, flags));
};

/** `hsw erase`: erases a person who withdraws, beside a running daemon too. */
const eraseCommand: Command<EraseFlags> = async (context, flags) => {
  const config = readConfig(context, false);
  const { participant, room } = flags;
  if (participant.trim() === '' || room?.trim() === '')
    throw new WarehouseError('USAGE', 'An id is empty. Nothing was erased.', {
      hint: 'Name the participant as in `participants.participant_id`.',
    });
  const rooms = roomsOf(config, flags);
  const trial = await erase(context, config, flags, true);
  if (trial.tables.length === 0) throw unknownPerson(flags);
  if (flags.dryRun === true) {
    say(context, { ...trial, dryRun: true }, `${preview(trial, rooms)}Nothing was changed.\n`);
    return EXIT.ok;
  }
  if (flags.yes !== true) await confirm(context, trial, rooms, participant);
  const erasure = await erase(context, config, flags, false);
  const receipt = writeReceipt(config, erasure);
  say(context, { ...erasure, dryRun: false, receiptFile: receipt }, closing(erasure, receipt));
  return EXIT.ok;
};

function erase(
  { signal }: CommandContext,
  config: Config,
  { participant, room }: EraseFlags,
  isTrial: boolean,
): Promise<Erasure> {
  const person = { participant, ...(room === undefined ? {} : { room }) };
  const open = () => openWarehouse(config.warehouse.path, warehouseOptions(config, systemClock));
  const here = () => whileOpen(open(), (opened) => Promise.resolve(opened.erase(person, isTrial)));
  return runOrDelegate(here, { ask: 'erase', ...person, isTrial }, { config, notify: () => undefined, signal });
}

/** The rooms that the person was in, as a reader finds them. @throws WarehouseError WAREHOUSE_MISSING. */
function roomsOf(config: Config, { participant, room }: EraseFlags): string[] {
  const db = openReader(config);
  try {
    const sql = 'SELECT DISTINCT room_id FROM participants WHERE participant_id = ? AND room_id IS NOT NULL ORDER BY 1';
    const rooms = queryValues(db, sql, z.string()).all(participant);
    return room === undefined ? rooms : rooms.filter((one) => one === room);
  } finally {
    db.close();
  }
}

function unknownPerson({ participant, room }: EraseFlags): WarehouseError {
  const where = room === undefined ? '' : ` in room ${room}`;
  return new WarehouseError(
    'USAGE',
    `Nothing in the warehouse names participant ${participant}${where}. Nothing was erased.`,
    {
      hint: 'Look up the id in `participants.participant_id`; it must match exactly.',
    },
  );
}

async function confirm(context: CommandContext, trial: Erasure, rooms: readonly string[], participant: string) {
  if (context.json || !context.stdin.isTTY)
    throw new WarehouseError('USAGE', 'An erasure has to be confirmed. Nothing was erased.', {
      hint: 'Look at it with --dry-run, then add --yes.',
    });
  context.stderr.write(preview(trial, rooms));
  const answer = await askOn(context)('It cannot be undone. Type the id of the participant to erase them: ');
  if (answer !== participant)
    throw new WarehouseError('USAGE', 'That is another id. Nothing was erased.', {
      hint: 'Run the command again, or with --dry-run to look first.',
    });
}

function preview(erasure: Erasure, rooms: readonly string[]): string {
  const among =
    rooms.length < 2
      ? ''
      : `The id is in ${counted(rooms.length, 'room')}: ${rooms.join(', ')}. If these are different people, name one with --room.\n`;
  return `To be erased:\n${lines(erasure)}${among}`;
}

function closing(erasure: Erasure, receipt: string): string {
  const { isOverwritten, unreached } = erasure;
  const overwritten = isOverwritten
    ? 'The file was rewritten: nothing of them is left in it.'
    : 'The file could not be rewritten yet, because a program has it open or the disk is too full. This is done at the next sync or start.';
  const backups =
    unreached.length === 0 ? '' : `These files may still hold them; delete them: ${unreached.join(', ')}\n`;
  return (
    `Erased:\n${lines(erasure)}${overwritten}\n${backups}` +
    'Not known to hsw: exports, copies, backups elsewhere, logs, and HyperStudy itself, where they have to be deleted too.\n' +
    `Receipt, which does not identify anyone: ${receipt}\n`
  );
}

function lines({ tables }: Erasure): string {
  const parts = ({ erased, replaced }: Erasure['tables'][number]) => [
    ...(erased > 0 ? [counted(erased, 'row')] : []),
    ...(replaced > 0 ? [`the id in ${counted(replaced, 'row')} of others`] : []),
  ];
  return tables.map((one) => `  ${one.table}: ${parts(one).join(', ')}\n`).join('');
}

function writeReceipt(config: Config, { at, version, tables, unreached }: Erasure): string {
  const receipt = { at, version, tables, unreached };
  const name = `erasure-${receipt.at.replaceAll(/[:.]/g, '-')}.json`;
  const path = join(dirname(config.warehouse.path), name);
  createPrivate(path);
  writeFileSync(path, `${JSON.stringify(receipt, null, 2)}\n`);
  return path;
}

function say({ json, stdout }: CommandContext, document: object, text: string): void {
  stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : text);
}
