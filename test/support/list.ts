import type { SimReply } from '../../src/simulator/reply.ts';
import type { SimulatorOptions } from '../../src/simulator/server.ts';

interface Body {
  readonly data: readonly { readonly id: string }[];
  readonly metadata: { readonly pagination: Readonly<Record<string, unknown>> };
}

/** What the API answers for `GET /experiments`; a test may change it at any time. */
export interface ListFault {
  /** Experiments that the list leaves out as if they were not there. */
  hidden: readonly string[] | 'all';
  /** Changes what is told of the pages. */
  told: Readonly<Record<string, unknown>>;
  warnings: readonly string[];
  /** After so many answers nothing is hidden any more. */
  answers: number;
  readonly fault: NonNullable<SimulatorOptions['fault']>;
}

function emptied(reply: SimReply): SimReply {
  return { ...reply, body: JSON.stringify({ ...(JSON.parse(reply.body) as Body), data: [] }) };
}

/** A list of experiments that leaves some out. */
export function listFault(): ListFault {
  const state: ListFault = {
    hidden: [],
    told: {},
    warnings: [],
    answers: Infinity,
    fault({ path }) {
      if (path === '/deployments' && state.hidden === 'all' && state.answers > 0)
        return { kind: 'change', change: emptied };
      if (path !== '/experiments' || state.answers-- <= 0) return undefined;
      return {
        kind: 'change',
        change(reply) {
          const { data, metadata, ...rest } = JSON.parse(reply.body) as Body;
          const shown = data.filter(({ id }) => state.hidden !== 'all' && !state.hidden.includes(id));
          const pagination = {
            ...metadata.pagination,
            total: Number(metadata.pagination['total']) - (data.length - shown.length),
            returned: shown.length,
            ...state.told,
          };
          const said = { ...metadata, pagination, _warnings: state.warnings };
          return { ...reply, body: JSON.stringify({ ...rest, data: shown, metadata: said }) };
        },
      };
    },
  };
  return state;
}
