import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateHtml } from '../../export/certificate/as-html.ts';
import { Certificate } from '../../export/certificate/certificate.ts';
import { compareCertificates } from '../../export/certificate/compare.ts';
import { notesOf, titleOf } from '../../export/certificate/words.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { parseJson } from '../../shared/json.ts';
import { makeFolder } from '../../shared/private-files.ts';
import { certificateOf, fileName } from '../certificate.ts';
import type { Command, Describe } from '../context.ts';
import { writeFile } from '../write-file.ts';

interface CertifyFlags {
  readonly experiment?: string;
  readonly out: string;
  readonly warehouse?: string;
}

interface CheckFlags {
  readonly check: string;
  readonly warehouse?: string | undefined;
}

export const describe: Describe = (program, run) => {
  program
    .option('--experiment <id>', 'the experiment, by its id or name; may be left out where the warehouse has only one')
    .option('--out <folder>', 'where to write certificate-ID.html and certificate-ID.json', '.')
    .option('--check <file>', 'compare a certificate (its .json) with the warehouse of today')
    .option('--warehouse <file>', 'certify this file, without a configuration')
    .addHelpText(
      'after',
      `
For the records of a paper: how many records of each data type and room there are, how it is known that these are all,
when they were compared with the API, what changed or was deleted upstream since they were first read, what is missing
and why, and a digest of the records of each data type. The page can be printed; the .json can be checked later.
Where data may be incomplete, the certificate says so at the top, and the exit status is 1.

Examples:
  hsw certify --experiment exp_abc123 --out certificates
  hsw certify --check certificates/certificate-exp_abc123.json`,
    )
    .action(({ check: file, ...flags }: CertifyFlags & Partial<CheckFlags>) =>
      file === undefined ? run(certify, flags) : run(check, { check: file, warehouse: flags.warehouse }),
    );
};

/** `hsw certify`: the page that goes with a paper. */
const certify: Command<CertifyFlags> = async (context, { experiment, out, warehouse }) => {
  const certificate = certificateOf(context, { experiment, warehouse });
  const text = `${JSON.stringify(certificate, null, 2)}\n`;
  const { experiment: of, isComplete, headline, lacks } = certificate;
  const files = ['html', 'json'].map((ending) => join(out, `certificate-${fileName(of.id)}.${ending}`));
  const [page = '', json = ''] = files;
  makeFolder(out);
  writeFile(page, await certificateHtml(certificate));
  writeFile(json, text);
  const { stdout, stderr } = context;
  for (const line of [...lacks, ...notesOf(certificate)]) stderr.write(`! ${cleanLine(line)}\n`);
  if (context.json) stdout.write(text);
  else stdout.write(`${isComplete ? '✓' : '✗'} ${cleanLine(titleOf(certificate))}: ${headline}\n${page}\n${json}\n`);
  return isComplete ? EXIT.ok : EXIT.partial;
};

/** `hsw certify --check`: whether the warehouse still holds what a certificate says. */
const check: Command<CheckFlags> = (context, { check: file, warehouse }) => {
  const then = readFile(file);
  const now = certificateOf(context, { experiment: then.experiment.id, warehouse });
  const compared = compareCertificates(then, now);
  const isSame = compared.every((one) => one.isSame);
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ isSame, certifiedAt: then.madeAt, data: compared }, null, 2)}\n`);
  } else {
    const lines = compared.map((one) => `${one.isSame ? '✓' : '✗'} ${cleanLine(`${one.data}: ${one.text}`)}\n`);
    const answer = isSame
      ? 'The warehouse holds exactly the records of the certificate.'
      : `The warehouse of today differs. \`_history\` has the former records, as far as it goes back.`;
    context.stdout.write(`${lines.join('')}${answer}\n`);
  }
  return Promise.resolve(isSame ? EXIT.ok : EXIT.partial);
};

/** @throws WarehouseError USAGE for a file that is no certificate. */
function readFile(file: string): Certificate {
  const hint = 'Name the .json that `hsw certify` wrote.';
  try {
    return Certificate.parse(parseJson(readFileSync(file, 'utf8')));
  } catch (cause) {
    const isThere = !(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT');
    const message = isThere ? `The file ${file} is not a certificate.` : `There is no file ${file}.`;
    throw new WarehouseError('USAGE', message, { hint, cause });
  }
}
