/** A request without its socket, so that a simulation can run without sockets. */
export interface SimRequest {
  readonly method: string;
  /** Path below the base URL, such as `/data/events/experiment/exp_1`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface SimReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The documented error codes by HTTP status (API overview). */
const CODES: Readonly<Record<number, string>> = {
  400: 'INVALID_PARAMETER',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  429: 'RATE_LIMIT_EXCEEDED',
  500: 'INTERNAL_SERVER_ERROR',
};

/** Thrown inside the handler when a request ends in an error envelope. */
export class ApiError extends Error {
  readonly status: number;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    details: unknown = null,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.details = details;
    this.headers = headers;
  }
}

export function errorReply(
  status: number,
  message: string,
  details: unknown = null,
  headers: Readonly<Record<string, string>> = {},
): SimReply {
  const error = { code: CODES[status] ?? 'INTERNAL_SERVER_ERROR', message, details };
  return jsonReply({ status: 'error', error }, status, headers);
}

export function jsonReply(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): SimReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

/** Records as comma-separated values: a column for each key that occurs, objects as JSON. */
export function csvReply(records: readonly Readonly<Record<string, unknown>>[]): SimReply {
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const cell = (value: unknown) => {
    const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns.map(cell), ...records.map((record) => columns.map((column) => cell(record[column])))];
  return {
    status: 200,
    headers: { 'content-type': 'text/csv; charset=utf-8' },
    body: `${lines.map((line) => line.join(',')).join('\r\n')}\r\n`,
  };
}

export function ndjsonReply(records: readonly unknown[]): SimReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-ndjson' },
    body: records.map((record) => `${JSON.stringify(record)}\n`).join(''),
  };
}
