import { mkdtempSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { certificateHtml } from '../../export/certificate/as-html.ts';
import { cleanLine } from '../../shared/clean-text.ts';
import { EXIT } from '../../shared/errors.ts';
import { isLoopback } from '../../shared/loopback.ts';
import { makeFolder } from '../../shared/private-files.ts';
import { addressOf } from '../../web/dashboard/experiment-address.ts';
import { openInBrowser } from '../browser.ts';
import { certificateOf, fileName } from '../certificate.ts';
import { readConfig, type Command, type CommandContext, type Describe } from '../context.ts';
import { askForLink } from '../dashboard-link.ts';
import { experimentsIn, openSource } from '../source.ts';
import { writeFile } from '../write-file.ts';

interface OpenFlags {
  readonly experiment?: string;
  readonly warehouse?: string;
}

/** What is opened: `url` lets in once where it is that of a dashboard. */
interface Page {
  readonly what: string;
  readonly url: string;
  readonly file?: string;
}

export const describe: Describe = (program, run) => {
  program
    .option('--experiment <id>', 'the page of this experiment, by its id or name')
    .option('--warehouse <file>', 'the page of an experiment in this file, without a configuration')
    .addHelpText(
      'after',
      `
With a running daemon this opens its dashboard or, with --experiment, the experiment's page there. Without one, or
without its dashboard, it writes the experiment's certificate as of now (see \`hsw certify\`) and opens that. Where no
browser can be opened, such as over SSH, it prints the link. While a browser is started, other users of this computer
can see the link among the running programs; it works once.

Examples:
  hsw open
  hsw open --experiment exp_abc123`,
    )
    .action((flags: OpenFlags) => run(open, flags));
};

/** `hsw open`: the page that shows whether everything is there. */
const open: Command<OpenFlags> = async (context, flags) => {
  const page = (await livePage(context, flags)) ?? (await certificatePage(context, flags));
  const { env, stdout, json } = context;
  const failed = await openInBrowser(page.url, { env, platform: process.platform });
  if (json) {
    const { url, file } = page;
    stdout.write(`${JSON.stringify({ url, ...(file === undefined ? {} : { file }), opened: failed === undefined })}\n`);
  } else stdout.write(failed === undefined ? opened(page) : unopened(page, failed, env));
  return EXIT.ok;
};

/** The dashboard of the running daemon, or an experiment's page in it; undefined without one. */
async function livePage(context: CommandContext, { experiment, warehouse }: OpenFlags): Promise<Page | undefined> {
  if (warehouse !== undefined) return undefined;
  const link = await askForLink(readConfig(context, false).warehouse.path, context.signal);
  if ('lacks' in link) {
    context.stderr.write(`${cleanLine(link.message)}\n`);
    return undefined;
  }
  if (experiment === undefined) return { what: 'the dashboard', url: link.url };
  const { db, positions } = openSource(context, undefined);
  try {
    const [id = ''] = experimentsIn(db, positions(), [experiment]);
    const url = new URL(addressOf(id), link.url);
    url.searchParams.set('ticket', new URL(link.url).searchParams.get('ticket') ?? '');
    return { what: `the page of ${id}`, url: url.href };
  } finally {
    db.close();
  }
}

async function certificatePage(context: CommandContext, { experiment, warehouse }: OpenFlags): Promise<Page> {
  const certificate = certificateOf(context, { experiment, warehouse });
  const { id } = certificate.experiment;
  const beside = `${resolve(warehouse ?? readConfig(context, false).warehouse.path)}.pages`;
  const file = writePage(beside, `${fileName(id)}.html`, await certificateHtml(certificate));
  return { what: `the certificate of ${id}, ${file}`, url: pathToFileURL(file).href, file };
}

/** Beside the warehouse, as not every browser may read the folder of temporary files; there for who may only read it. */
function writePage(beside: string, name: string, html: string): string {
  try {
    makeFolder(beside);
    writeFile(join(beside, name), html);
    return join(beside, name);
  } catch {
    const file = join(mkdtempSync(join(tmpdir(), 'hsw-')), name);
    writeFile(file, html);
    return file;
  }
}

function opened({ what, file }: Page): string {
  const otherwise = file === undefined ? ' If no window appears, `hsw dashboard` prints a link.' : '';
  return `Opening ${cleanLine(what)}.${otherwise}\n`;
}

function unopened({ what, url, file }: Page, why: string, env: CommandContext['env']): string {
  const lines = [`No browser can be opened here: ${why}.`];
  if (file !== undefined) return `${[...lines, `Open ${cleanLine(what)}:`, url].join('\n')}\n`;
  const { hostname: host, port } = new URL(url);
  const at = port === '' ? '80' : port;
  const tunnel =
    (env['SSH_CONNECTION'] ?? '') === '' || !isLoopback(host)
      ? []
      : [`On your own computer, first run: ssh -N -L ${at}:${host}:${at} ${userInfo().username}@${hostname()}`];
  return `${[...lines, ...tunnel, `This link opens ${cleanLine(what)}, once, within five minutes:`, url].join('\n')}\n`;
}
