import { iso } from '../life.ts';
import type { Random } from '../random.ts';
import type { DataScope, Entry } from './entry.ts';

/** The declaration of a data type, from which the simulator can serve one that it does not know. */
export interface Declaration {
  readonly name: string;
  readonly identity: readonly string[];
  readonly timeField: string | undefined;
  readonly keyScopes: readonly string[];
  readonly scopes: readonly string[];
  readonly path?: string;
  readonly fields: Readonly<Record<string, { readonly kind: string }>>;
}

const SCOPES: readonly DataScope[] = ['experiment', 'room', 'participant'];

/** The number of records of each participant in a room. */
const EACH = 5;

/** A data type with made-up records: only the names and kinds of their fields are real. */
export function fromDeclaration({ name, identity, timeField, keyScopes, scopes, path, fields }: Declaration): Entry {
  const [id] = identity;
  return {
    name,
    keyScopes,
    scopes: path === undefined ? SCOPES.filter((scope) => scopes.includes(scope)) : [],
    ...(id === undefined ? {} : { id }),
    ...(timeField === undefined ? {} : { time: timeField }),
    ofRoom({ experimentId, roomId, deployment, zero, people, random, emit }) {
      for (const person of people) {
        for (let n = 0; n < EACH; n++) {
          const onset = 10_000 * n + random.int(0, 9000);
          const known: Readonly<Record<string, unknown>> = {
            experimentId,
            roomId,
            deploymentId: deployment.id,
            participantId: person.id,
            onset,
            ...(id === undefined ? {} : { [id]: `${name.slice(0, 3)}_${random.id(12)}` }),
          };
          const made = Object.entries(fields).map(([field, { kind }]) => [
            field,
            known[field] ?? valueOf(kind, zero + onset, random),
          ]);
          emit(zero + onset, Object.fromEntries(made) as Record<string, unknown>);
        }
      }
    },
  };
}

function valueOf(kind: string, at: number, random: Random): unknown {
  switch (kind) {
    case 'time':
      return iso(at);
    case 'integer':
      return random.int(0, 1000);
    case 'real':
      return random.next();
    case 'boolean':
      return random.chance(0.5);
    case 'json':
      return { n: random.int(0, 9), of: ['a', null] };
    case 'any':
      return random.chance(0.5) ? random.int(0, 9) : random.id(4);
    default:
      return random.id(8);
  }
}
