/** A readable count: `123,456`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A count of things: `1 stream`, `1,200 streams`. */
export function counted(value: number, thing: string): string {
  return `${count(value)} ${thing}${value === 1 ? '' : 's'}`;
}
