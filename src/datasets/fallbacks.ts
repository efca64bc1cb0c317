import { isObject, type Json, type JsonObject } from '../shared/json.ts';
import type { Dataset, Place } from './define.ts';

/** Values for fields that a record lacks, from other places in it. Contradictory values are left out. */
export function fallbackValues({ columns }: Dataset, record: JsonObject): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { field, spec } of columns) {
    if (spec.fallbacks === undefined || record[field] !== undefined) continue;
    const said = new Set(spec.fallbacks.map((place) => textAt(place, record)).filter((text) => text !== undefined));
    const [only] = said;
    if (only !== undefined && said.size === 1) values[field] = only;
  }
  return values;
}

function textAt({ path, pattern }: Place, record: JsonObject): string | undefined {
  const found = path.reduce<Json | undefined>(
    (inside, name) => (inside !== undefined && isObject(inside) ? inside[name] : undefined),
    record,
  );
  if (typeof found !== 'string' || found === '') return undefined;
  if (pattern === undefined) return found;
  const part = pattern.exec(found)?.[1];
  return part === undefined ? undefined : decoded(part);
}

/** Undefined if the percent signs are not an encoding. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
