import type { Message } from './incidents.ts';

/** The longest that one delivery may take. */
export const DEADLINE_MS = 10_000;

/** A way to send alerts. */
export interface Channel {
  readonly name: 'webhook' | 'smtp';
  /**
   * Sends a message once.
   * @returns why it could not be delivered, or undefined if all received it. Only an aborted signal throws.
   */
  send(message: Message, signal: AbortSignal): Promise<Failure | undefined>;
}

/** Why a message was not delivered, in words that contain no secret. */
export interface Failure {
  readonly problem: string;
  /** What to do about it. */
  readonly hint: string;
  /** Whether another try may help. */
  readonly passing: boolean;
  /** Some received it and others cannot: it is not sent again. */
  readonly partly?: boolean;
}

/** Plain words for network errors, by the code of Node's error; the first match counts. */
const NETWORK: readonly (readonly [RegExp, string, passing: boolean])[] = [
  [/ECONNREFUSED/, 'nothing listens at that address', true],
  [/ENOTFOUND|EAI_AGAIN|EDNS/, 'its name cannot be found', true],
  [
    /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY|ERR_TLS|ETLS|ERR_SSL|EPROTO/,
    'no trusted TLS connection could be made',
    false,
  ],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no network route to it', true],
  [/ECONNRESET|UND_ERR_SOCKET|EPIPE|ECONNECTION/, 'the connection broke off', true],
];

/** Words for a network error: only names and codes of errors are used, as their texts may contain addresses. */
export function networkWords(error: unknown, deadlineMs: number): { words: string; passing: boolean } {
  const codes = namesOf(error).join(' ');
  const found = NETWORK.find(([pattern]) => pattern.test(codes));
  if (found !== undefined) return { words: found[1], passing: found[2] };
  return /TIMEOUT|TimeoutError|AbortError|ETIMEDOUT/.test(codes)
    ? { words: `no answer within ${deadlineMs / 1000} s`, passing: true }
    : { words: 'the connection failed', passing: true };
}

/** Names and codes of an error and its causes. */
function namesOf(error: unknown): string[] {
  const names: string[] = [];
  for (let at = error; at instanceof Error && names.length < 20; at = at.cause) {
    names.push(at.name);
    if ('code' in at && typeof at.code === 'string') names.push(at.code);
    // nodemailer replaces the code of Node's error by its own and keeps the original here.
    if ('originalCode' in at && typeof at.originalCode === 'string') names.push(at.originalCode);
  }
  return names;
}
