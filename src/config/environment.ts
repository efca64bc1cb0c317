/** Environment variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable counts as unset, as container files set the variables that they only pass on. */
export function environment(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** `${NAME}` in a string. */
export const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** A variable that the file names and that is not set, and where it is named. */
export interface Unset {
  readonly path: readonly PropertyKey[];
  readonly name: string;
}

/** Replaces `${NAME}` in every string of the file with the environment variable. */
export function substitute(value: unknown, env: Environment): { value: unknown; missing: Unset[] } {
  const missing: Unset[] = [];
  const visit = (at: unknown, path: PropertyKey[]): unknown => {
    if (Array.isArray(at)) return at.map((item, i) => visit(item, [...path, i]));
    if (typeof at === 'object' && at !== null)
      return Object.fromEntries(Object.entries(at).map(([key, member]) => [key, visit(member, [...path, key])]));
    if (typeof at !== 'string') return at;
    return at.replace(REFERENCE, (_, name: string) => {
      if (env[name] === undefined) missing.push({ path, name });
      return env[name] ?? '';
    });
  };
  return { value: visit(value, []), missing };
}
