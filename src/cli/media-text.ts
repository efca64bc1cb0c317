import { PROBLEMS } from '../media/problems.ts';
import { compareMedia } from '../media/compare.ts';
import type { MediaRound } from '../media/round.ts';
import { cleanLine } from '../shared/clean-text.ts';
import { count, counted } from '../shared/count.ts';
import { EXIT } from '../shared/errors.ts';
import type { MediaCounts } from '../warehouse/media.ts';
import type { Db } from '../warehouse/open.ts';
import type { CommandContext } from './context.ts';

/** What a round brought. */
export function roundLine({ fetched, bytes, failed, stopped }: MediaRound): string {
  const end = stopped === undefined ? '' : ` It ended early: ${stopped.message}`;
  return `Media: ${counted(fetched, 'file')} downloaded (${megabytes(bytes)}), ${count(failed)} failed.${end}\n`;
}

/** How much is held, and why the rest is not. */
export function mediaLines({ wanted, held, bytes, problems, odd }: MediaCounts): string {
  const why = problems.map(({ problem, files }) => `  ${count(files)}: ${textOf(problem)}\n`);
  const strange =
    odd === 0 ? '' : `  ${count(odd)} held: not the size that HyperStudy says, or not the same file as before\n`;
  return `Media: ${count(held)} of ${counted(wanted, 'recording')} held (${megabytes(bytes)}).\n${why.join('')}${strange}`;
}

function textOf(problem: string): string {
  return Object.entries(PROBLEMS).find(([name]) => name === problem)?.[1].text ?? problem;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `hsw verify --media`: compares every file that is held with its size and digest. */
export async function verifyMedia({ json, stdout, signal }: CommandContext, db: Db): Promise<number> {
  const found = { equal: 0, different: [] as { path: string; status: string }[] };
  for await (const { file, status } of compareMedia(db, signal)) {
    if (status === 'equal') found.equal++;
    else found.different.push({ path: file.path, status });
    if (status !== 'equal' && !json) stdout.write(`${cleanLine(`✗ ${file.path}: ${status}`)}\n`);
  }
  const { equal, different } = found;
  const hint =
    different.length === 0 ? '' : ' Delete what is damaged: `hsw media` or the daemon then downloads it again.';
  const text = `Media: ${counted(equal, 'file')} equal in size and SHA-256, ${count(different.length)} different.${hint}\n`;
  stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : text);
  return different.length === 0 ? EXIT.ok : EXIT.partial;
}
