import { isObject, isRawNumber, type Json } from '../shared/json.ts';
import { formatTime } from '../shared/time.ts';
import { timeOf } from './values.ts';

/** A decimal number without an exponent: its whole part and its fraction. */
const DECIMAL = /^(\d+)(?:\.(\d+))?$/;
const ISO_FRACTION = /[.,](\d+)/;

/**
 * A time in the one form of the warehouse, with every digit that was sent beyond the millisecond: the same text for each
 * way to write the same instant, such as `…05Z`, `…05.000+00:00` or a number of seconds. Undefined for what is no time,
 * or says more than one.
 */
export function exactTime(sent: Json | undefined): string | undefined {
  const ms = timeOf(sent);
  const beyond = ms === undefined ? undefined : digitsBeyond(sent, ms);
  if (ms === undefined || beyond === undefined) return undefined;
  return `${formatTime(ms).slice(0, -1)}${beyond.replace(/0+$/, '')}Z`;
}

/** The digits of a time after those of its millisecond; undefined where the value says anything else as well. */
function digitsBeyond(sent: Json | undefined, ms: number): string | undefined {
  if (typeof sent === 'string') return (ISO_FRACTION.exec(sent)?.[1] ?? '').slice(3);
  if (typeof sent === 'number') return ofNumber(String(sent), ms);
  if (isRawNumber(sent)) return ofNumber(sent.rawJSON, ms);
  if (sent === undefined || !isObject(sent) || Object.keys(sent).length !== 2) return undefined;
  const seconds = sent['_seconds'] ?? sent['seconds'];
  const nanoseconds = sent['_nanoseconds'] ?? sent['nanoseconds'];
  if (typeof nanoseconds !== 'number' || !Number.isInteger(seconds) || !isNanoseconds(nanoseconds)) return undefined;
  return String(nanoseconds).padStart(9, '0').slice(3);
}

function isNanoseconds(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 1e9;
}

/** A number of seconds, or of milliseconds. */
function ofNumber(text: string, ms: number): string | undefined {
  const [, whole = '', fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === String(ms)) return fraction;
  return whole + fraction.slice(0, 3).padEnd(3, '0') === String(ms) ? fraction.slice(3) : undefined;
}
