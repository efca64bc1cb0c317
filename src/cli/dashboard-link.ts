import type { Config } from '../config/schema.ts';
import { socketPath } from '../control/place.ts';
import { askDaemon } from '../control/socket.ts';

/** A link that opens the dashboard once, or why there is none. */
export type DashboardLink =
  | { readonly url: string }
  | { readonly lacks: 'daemon' | 'dashboard'; readonly message: string; readonly hint: string };

/** Asks the running daemon for a link. */
export async function askForLink(path: Config['warehouse']['path'], signal: AbortSignal): Promise<DashboardLink> {
  const socket = socketPath(path);
  const told =
    socket === undefined ? undefined : await askDaemon(socket, { ask: 'dashboard' }, () => undefined, signal);
  if (told === undefined)
    return {
      lacks: 'daemon',
      message: `No daemon is running for ${path}, so there is no dashboard.`,
      hint: 'Start it with `hsw daemon` or as a service; `hsw status` needs none.',
    };
  if (told.url === null)
    return {
      lacks: 'dashboard',
      message: 'The daemon serves no dashboard: its configuration says http: false.',
      hint: 'Remove that line, and start the daemon again.',
    };
  return { url: told.url };
}
