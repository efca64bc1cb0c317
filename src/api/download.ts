import { Agent, EnvHttpProxyAgent, request } from 'undici';
import { isLoopback } from '../shared/loopback.ts';
import { VERSION } from '../shared/version.ts';
import { header } from './headers.ts';

/** What a file's address answered. It has to be closed. */
export interface Download {
  readonly status: number;
  readonly headers: (name: string) => string | undefined;
  readonly body: AsyncIterable<Buffer>;
  /** Ends the connection, whatever is left. */
  close(): Promise<void>;
}

export interface DownloadOptions {
  /** Only from this byte on, if the file still has this strong ETag. */
  readonly rest?: { readonly from: number; readonly etag: string } | undefined;
  /** The longest time without a byte, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks a short-lived address for its file. It is on another server than the API, so neither the key nor the
 * organization goes with it, and no redirect is followed.
 */
export async function download(url: URL, { rest, timeoutMs, signal }: DownloadOptions): Promise<Download> {
  const dispatcher = isLoopback(url.hostname) ? new Agent() : new EnvHttpProxyAgent();
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      signal,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      headers: {
        'accept-encoding': 'identity',
        'user-agent': `hyperstudy-warehouse/${VERSION}`,
        ...(rest === undefined ? {} : { range: `bytes=${rest.from}-`, 'if-range': rest.etag }),
      },
    });
    return {
      status: statusCode,
      headers: (name) => header(headers, name),
      body,
      close() {
        // What is left unread is reported as an error of the body.
        body.on('error', () => undefined).destroy();
        return dispatcher.destroy();
      },
    };
  } catch (error) {
    await dispatcher.destroy();
    throw error;
  }
}
