import { WarehouseError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { plainError } from '../warehouse/open.ts';
import type { Engine } from './engine.ts';
import type { Handlers } from '../control/socket.ts';
import type { About, Tell } from '../control/protocol.ts';

/** It would read something else than its own configuration says, and call that up to date. */
function otherConfig(): WarehouseError {
  return new WarehouseError(
    'USAGE',
    'A daemon keeps this warehouse, and its configuration reads something else than this one. Nothing was done.',
    {
      hint: 'If the configuration was changed, have the daemon read it again (systemctl reload hyperstudy-warehouse, or kill -HUP and its process id), and try again.',
    },
  );
}

/** What the requests of the command line are answered with. */
export interface Answering {
  readonly engine: Engine;
  /** Path of the warehouse. */
  readonly path: string;
  readonly log: Log;
  /** Aborted when the daemon is to stop. */
  readonly signal: AbortSignal;
  /** Those who wait for what they asked for. */
  readonly askers: Set<Tell>;
  readonly about: () => About;
  /** What the configuration in use reads. */
  readonly reads: () => string;
}

/** Has the engine do what the command line asks for. */
export function createHandlers({ engine, path, log, signal, askers, about, reads }: Answering): Handlers {
  const asked = async <T>(request: { reads: string }, tell: Tell, work: () => Promise<T>): Promise<T> => {
    log.info({ asked: request }, 'the command line asked for something');
    if (request.reads !== reads()) throw otherConfig();
    askers.add(tell);
    try {
      return await work();
    } catch (error) {
      // Said as a command says it that writes the warehouse itself.
      throw plainError(path, error) ?? error;
    } finally {
      askers.delete(tell);
    }
  };
  return {
    sync: (request, tell, gone) =>
      asked(request, tell, () =>
        engine.asked.sync(request, {
          signal: AbortSignal.any([signal, gone]),
          onPage: (stream, page) => tell({ stream, page }),
          onStream: ({ stream, result }) => tell({ stream, ...(result === undefined ? {} : { ended: result }) }),
        }),
      ),
    verify: (request, tell, gone) =>
      asked(request, tell, () =>
        engine.asked.verify(request, {
          signal: AbortSignal.any([signal, gone]),
          onVerdict: (stream, verdict) => tell({ stream, verdict }),
        }),
      ),
    about: () => Promise.resolve(about()),
  };
}
