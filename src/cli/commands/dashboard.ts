import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { readConfig, type Command, type Describe } from '../context.ts';
import { askForLink } from '../dashboard-link.ts';

export const describe: Describe = (program, run) => {
  program
    .addHelpText(
      'after',
      `
The link works once, within five minutes, and lets this browser in until the token changes. Only the user that runs the
daemon, and root, can ask for one. \`hsw open\` opens it in the browser of this computer.

Example:
  hsw dashboard`,
    )
    .action((flags: unknown) => run(dashboard, flags));
};

/** `hsw dashboard`: a link to the dashboard of the running daemon. */
const dashboard: Command<unknown> = async (context) => {
  const link = await askForLink(readConfig(context, false).warehouse.path, context.signal);
  if ('lacks' in link) throw new WarehouseError('USAGE', link.message, { hint: link.hint });
  context.stdout.write(context.json ? `${JSON.stringify({ url: link.url })}\n` : `${link.url}\n`);
  return EXIT.ok;
};
