import type { Message } from './incidents.ts';

/** The longest that one delivery may take. */
export const DEADLINE_MS = 10_000;

/** A way to tell somebody. */
export interface Channel {
  readonly name: 'webhook' | 'smtp';
  /**
   * Sends a message once.
   * @returns why it could not be delivered, or undefined when all got it. Only an aborted signal throws.
   */
  send(message: Message, signal: AbortSignal): Promise<Failure | undefined>;
}

/** Why a message was not delivered, in words that hold no secret. */
export interface Failure {
  readonly problem: string;
  /** What to do about it. */
  readonly hint: string;
  /** Whether another try may help. */
  readonly passing: boolean;
  /** Some got it and others cannot: it is not sent again. */
  readonly partly?: boolean;
}

/** Plain words for what goes wrong on the way to a server, by the code of Node's error; the first that fits. */
const NETWORK: readonly (readonly [RegExp, string, passing: boolean])[] = [
  [/ECONNREFUSED/, 'nothing answers there', true],
  [/ENOTFOUND|EAI_AGAIN|EDNS/, 'its name cannot be found', true],
  [
    /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_VERIFY|ERR_TLS|ETLS|ERR_SSL|EPROTO/,
    'no trusted TLS connection can be made',
    false,
  ],
  [/EHOSTUNREACH|ENETUNREACH/, 'there is no network route to it', true],
  [/ECONNRESET|UND_ERR_SOCKET|EPIPE|ECONNECTION/, 'the connection broke off', true],
];

/** What went wrong on the wire: only names and codes of the errors are read, as their texts may hold addresses. */
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
    // Where nodemailer puts a code of its own, this is Node's.
    if ('originalCode' in at && typeof at.originalCode === 'string') names.push(at.originalCode);
  }
  return names;
}
