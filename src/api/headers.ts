import { scrub } from '../shared/log.ts';

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Headers with the id of a request in the logs of servers and proxies, the most exact first. */
const REQUEST_ID = [
  'x-request-id',
  'request-id',
  'x-correlation-id',
  'x-cloud-trace-context',
  'x-amzn-requestid',
  'x-amzn-trace-id',
  'traceparent',
  'x-vercel-id',
  'fly-request-id',
  'cf-ray',
];

const LONGEST_ID = 80;

/** The first value of a header. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The server's id of the request, with which its support can find it: printable, short and without secrets. */
export function requestId(headers: Headers, secrets: readonly string[]): string | undefined {
  for (const name of REQUEST_ID) {
    const printable = (header(headers, name) ?? '').replace(/[^\x21-\x7e]+/g, '');
    const id = scrub(printable, secrets).slice(0, LONGEST_ID);
    if (id !== '') return id;
  }
  return undefined;
}

/** Milliseconds since 1970 UTC of a `Date` header; undefined where there is none or it is unreadable. */
export function httpTime(date: string | undefined): number | undefined {
  const ms = Date.parse(date ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
