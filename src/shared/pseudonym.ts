import { createHmac } from 'node:crypto';

/**
 * A function that gives the pseudonym of a text: the same with the same key, and without the key no one can find out or
 * try which text it stands for. HMAC-SHA-256, of which 128 bits are kept.
 */
export function pseudonymBy(key: string): (text: string) => string {
  return (text) => `ps_${mac(key, `value\n${text}`).subarray(0, 16).toString('base64url')}`;
}

/** Whether a text has the form of a pseudonym. */
export function isPseudonym(text: string): boolean {
  return /^ps_[A-Za-z0-9_-]{22}$/.test(text);
}

/** By what a key is known again, which says nothing of it. */
export function markOfKey(key: string): string {
  return mac(key, 'key').subarray(0, 12).toString('base64url');
}

function mac(key: string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
