/** A readable count: `123,456`. By hand, as loading Intl takes a twentieth of the time in which a command ends. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** A count of things: `1 stream`, `1,200 streams`. */
export function counted(value: number, thing: string): string {
  return `${count(value)} ${thing}${value === 1 ? '' : 's'}`;
}
