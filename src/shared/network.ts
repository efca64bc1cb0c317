/** What can go wrong on the way to a server. */
export type NetworkCause =
  | 'proxy'
  | 'proxy-login'
  | 'closed'
  | 'no-name'
  | 'expired'
  | 'not-valid-yet'
  | 'other-name'
  | 'untrusted'
  | 'no-tls'
  | 'headers'
  | 'no-http'
  | 'silent'
  | 'broken'
  | 'tls'
  | 'no-route'
  | 'forbidden'
  | 'files'
  | 'unknown';

/** What went wrong on the way to a server. */
export interface NetworkFailure {
  readonly cause: NetworkCause;
  /** In plain words that hold no address. */
  readonly reason: string;
  /** Whether another try in a moment may help; otherwise a person has to change something. */
  readonly passes: boolean;
}

export const PROXY_LOGIN: NetworkFailure = {
  cause: 'proxy-login',
  reason: 'the proxy requires a user name and a password (HTTP 407)',
  passes: false,
};

/** By the codes and names of the errors of Node, undici and nodemailer, and of their causes; the first match counts. */
const BY_CODE: readonly (readonly [pattern: RegExp, cause: NetworkCause, reason: string, passes: boolean])[] = [
  [/UND_ERR_PRX/, 'proxy', 'the proxy could not connect to it', false],
  [/ECONNREFUSED/, 'closed', 'nothing listens at that address', true],
  [/ENOTFOUND|EAI_AGAIN|EAI_FAIL|EDNS/, 'no-name', 'its name cannot be found', true],
  [/CERT_HAS_EXPIRED/, 'expired', 'its certificate has expired', false],
  [/CERT_NOT_YET_VALID/, 'not-valid-yet', 'its certificate is not valid yet', false],
  [/ALTNAME_INVALID/, 'other-name', 'its certificate is for another name', false],
  [
    /CERT|LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|CRL/,
    'untrusted',
    'its certificate is not trusted by this computer',
    false,
  ],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/, 'no-tls', 'it does not speak TLS there', false],
  [/OVERFLOW/, 'headers', 'its headers are too large', true],
  [/HPE_|HTTPParserError/, 'no-http', 'it does not speak HTTP there', true],
  [/TIMEOUT|EABORT|AbortError/i, 'silent', 'it did not answer in time', true],
  [
    /ECONNRESET|UND_ERR_SOCKET|EPIPE|ECONNABORTED|ECONNECTION|UND_ERR_RES_CONTENT_LENGTH|UND_ERR_INFO|UND_ERR_ABORTED/,
    'broken',
    'the connection broke off',
    true,
  ],
  [/TLS|SSL|EPROTO/, 'tls', 'no secure connection could be made', true],
  [/EHOSTUNREACH|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL/, 'no-route', 'there is no network route to it', true],
  [/EACCES|EPERM/, 'forbidden', 'this computer does not allow the program to connect', false],
  [/EMFILE|ENFILE/, 'files', 'this computer has too many files open', true],
];

/** What undici says about a proxy, for which it has no error code. */
const PROXY_STATUS = /^Proxy (?:response \((\d{3})\)|Authentication Required \((407)\))/;

/** What an error on the way to a server means. Of texts only fixed forms are read, as they may hold addresses. */
export function networkFailure(error: unknown): NetworkFailure {
  const errors = chain(error);
  const proxy = errors.map(({ message }) => PROXY_STATUS.exec(message)).find((found) => found !== null);
  if (proxy !== undefined) {
    const status = proxy[1] ?? proxy[2] ?? '';
    if (status === '407') return PROXY_LOGIN;
    return { cause: 'proxy', reason: `the proxy refuses the connection (HTTP ${status})`, passes: true };
  }
  const codes = errors.flatMap(codesOf).filter((code) => code !== 'Error');
  const found = BY_CODE.find(([pattern]) => pattern.test(codes.join(' ')));
  if (found !== undefined) return { cause: found[1], reason: found[2], passes: found[3] };
  const named = codes.length === 0 ? '' : ` (${codes.join(' ')})`;
  return { cause: 'unknown', reason: `the connection failed${named}`, passes: true };
}

function codesOf(error: Error): string[] {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  // Where nodemailer puts a code of its own, this is Node's.
  return 'originalCode' in error && typeof error.originalCode === 'string' ? [code, error.originalCode] : [code];
}

/** An error, its causes, and the errors of several addresses that it gathers. */
function chain(error: unknown, found: Error[] = []): Error[] {
  if (!(error instanceof Error) || found.length >= 10) return found;
  found.push(error);
  if (error instanceof AggregateError) for (const one of error.errors) chain(one, found);
  return chain(error.cause, found);
}
