import { Dispatcher } from 'undici';
import type { SimReply, SimRequest } from '../../src/simulator/reply.ts';

/** What became of one request on the simulated network. */
export type Delivery = { readonly reply: SimReply; readonly cutAfter?: number } | { readonly error: Error };

/**
 * A network without sockets: each request is answered by a function, so that the real client runs in virtual time.
 * @param deliver answers a request or says how it was lost.
 */
export class SimulatedNetwork extends Dispatcher {
  readonly #deliver: (request: SimRequest) => Delivery;

  constructor(deliver: (request: SimRequest) => Delivery) {
    super();
    this.#deliver = deliver;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const url = new URL(options.path, 'http://simulated');
    const headers = Object.entries((options.headers ?? {}) as Record<string, string>);
    const request: SimRequest = {
      method: options.method,
      path: url.pathname.replace(/^\/api\/v3/, ''),
      query: url.searchParams,
      headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
    };
    let aborted = false;
    const isAborted = () => aborted;
    const controller = {
      paused: false,
      aborted: false,
      reason: null,
      rawHeaders: null,
      rawTrailers: null,
      pause: () => undefined,
      resume: () => undefined,
      abort: (reason: Error) => {
        aborted = true;
        queueMicrotask(() => handler.onResponseError?.(controller, reason));
      },
    } as unknown as Dispatcher.DispatchController;
    queueMicrotask(() => {
      handler.onRequestStart?.(controller, null);
      if (isAborted()) return;
      const delivery = this.#deliver(request);
      if ('error' in delivery) {
        handler.onResponseError?.(controller, delivery.error);
        return;
      }
      const { status, headers: sent, body } = delivery.reply;
      handler.onResponseStart?.(controller, status, { ...sent }, 'OK');
      if (isAborted()) return;
      const bytes = Buffer.from(body);
      handler.onResponseData?.(
        controller,
        delivery.cutAfter === undefined ? bytes : bytes.subarray(0, delivery.cutAfter),
      );
      if (delivery.cutAfter === undefined) handler.onResponseEnd?.(controller, {});
      else
        handler.onResponseError?.(
          controller,
          Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
        );
    });
    return true;
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  override destroy(): Promise<void> {
    return Promise.resolve();
  }
}
