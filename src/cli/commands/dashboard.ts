import { askDaemon } from '../../control/socket.ts';
import { socketPath } from '../../control/place.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { readConfig, type Command, type Describe } from '../context.ts';

export const describe: Describe = (program, run) => {
  program
    .addHelpText(
      'after',
      `
The link works once, within five minutes, and lets this browser in until the token changes. Only the user that runs the
daemon, and root, can ask for one.

Example:
  hsw dashboard`,
    )
    .action((flags: unknown) => run(dashboard, flags));
};

/** `hsw dashboard`: a link to the dashboard of the running daemon. */
const dashboard: Command<unknown> = async (context) => {
  const { warehouse } = readConfig(context, false);
  const socket = socketPath(warehouse.path);
  const told =
    socket === undefined ? undefined : await askDaemon(socket, { ask: 'dashboard' }, () => undefined, context.signal);
  if (told === undefined) {
    throw new WarehouseError('USAGE', `No daemon is running for ${warehouse.path}, so there is no dashboard.`, {
      hint: 'Start it with `hsw daemon` or as a service; `hsw status` needs none.',
    });
  }
  if (told.url === null) {
    throw new WarehouseError('USAGE', 'The daemon serves no dashboard: its configuration says http: false.', {
      hint: 'Remove that line, and start the daemon again.',
    });
  }
  context.stdout.write(context.json ? `${JSON.stringify({ url: told.url })}\n` : `${told.url}\n`);
  return EXIT.ok;
};
