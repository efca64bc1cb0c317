/** What went wrong on the way to a server, in plain words. */
export interface WireFailure {
  readonly reason: string;
  readonly hint: string;
  /** Whether another try in a moment may help; otherwise a person has to change something. */
  readonly passes: boolean;
}

const HINT = 'Check the network and api.baseUrl; the next sync continues from there.';
const CERTIFICATE_HINT =
  'If a proxy inspects your traffic with its own certificate, set the environment variable NODE_EXTRA_CA_CERTS to the file of that certificate.';
const CLOCK_HINT =
  'Check the date of this computer (timedatectl); if it is right, the server has to renew its certificate.';

export const PROXY_407 = 'the proxy requires a user name and a password (HTTP 407)';
export const PROXY_HINT =
  'Put them into HTTPS_PROXY and HTTP_PROXY (http://name:password@proxy:port), or name the server in NO_PROXY.';

/** By the codes and names of Node's and undici's errors and their causes; the first match counts. */
const BY_CODE: readonly (readonly [pattern: RegExp, reason: string, lasting?: { hint: string }])[] = [
  [/UND_ERR_PRX/, 'the proxy could not connect to it', { hint: PROXY_HINT }],
  [/ECONNREFUSED/, 'nothing listens at that address'],
  [/ENOTFOUND|EAI_AGAIN|EAI_FAIL/, 'its name cannot be found; is this computer online?'],
  [/CERT_HAS_EXPIRED/, 'its certificate has expired', { hint: CLOCK_HINT }],
  [/CERT_NOT_YET_VALID/, 'its certificate is not valid yet', { hint: CLOCK_HINT }],
  [/ALTNAME_INVALID/, 'its certificate is for another name', { hint: 'Check api.baseUrl.' }],
  [
    /CERT|LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|CRL/,
    'its certificate is not trusted by this computer',
    { hint: CERTIFICATE_HINT },
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/,
    'it does not speak TLS there',
    { hint: 'Check api.baseUrl: is the port right, and should it be http:// rather than https://?' },
  ],
  [/OVERFLOW/, 'its headers are larger than any program accepts'],
  [/HPE_|HTTPParserError/, 'the server there does not speak proper HTTP; should it be https:// or another port?'],
  [/TIMEOUT|TimeoutError|ETIMEDOUT/i, 'it did not answer in time'],
  [
    /ECONNRESET|UND_ERR_SOCKET|EPIPE|ECONNABORTED|UND_ERR_RES_CONTENT_LENGTH|UND_ERR_INFO|UND_ERR_ABORTED/,
    'the connection broke off',
  ],
  [/TLS|SSL|EPROTO/, 'no secure connection could be made'],
  [/EHOSTUNREACH|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL/, 'there is no network route to it'],
  [/EACCES|EPERM/, 'this computer does not allow the program to connect', { hint: 'Check its firewall and sandbox.' }],
  [/EMFILE|ENFILE/, 'this computer has too many files open'],
];

/** What undici says about a proxy, for which it has no error code. */
const PROXY_STATUS = /^Proxy (?:response \((\d{3})\)|Authentication Required \((407)\))/;

/** What an error of Node or undici means. */
export function wireFailure(error: unknown): WireFailure {
  const errors = chain(error);
  const proxy = errors.map(({ message }) => PROXY_STATUS.exec(message)).find((found) => found !== null);
  if (proxy !== undefined) {
    const status = proxy[1] ?? proxy[2] ?? '';
    const reason = status === '407' ? PROXY_407 : `the proxy refuses the connection (HTTP ${status})`;
    return { reason, hint: PROXY_HINT, passes: status !== '407' };
  }
  const codes = errors.map(codeOf).filter((code) => code !== 'Error');
  const [, reason, lasting] = BY_CODE.find(([pattern]) => pattern.test(codes.join(' '))) ?? [];
  return {
    reason: reason ?? (codes.length === 0 ? 'the connection failed' : `the connection failed (${codes.join(' ')})`),
    hint: lasting?.hint ?? HINT,
    passes: lasting === undefined,
  };
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** An error, its causes, and the errors of several addresses that it gathers. */
function chain(error: unknown, found: Error[] = []): Error[] {
  if (!(error instanceof Error) || found.length >= 10) return found;
  found.push(error);
  if (error instanceof AggregateError) for (const one of error.errors) chain(one, found);
  return chain(error.cause, found);
}
