import type { WarehouseError } from '../shared/errors.ts';

/** Why a file is not held. */
export type Problem =
  | 'no-address'
  | 'refused'
  | 'missing'
  | 'redirected'
  | 'unsafe-address'
  | 'broken'
  | 'slow'
  | 'failed'
  | 'other-size'
  | 'changed'
  | 'lost'
  | 'damaged';

interface Known {
  /** In words, after "of which". */
  readonly text: string;
  /** Whether another address, or the same one again, may help at once. */
  readonly again: boolean;
}

export const PROBLEMS: Readonly<Record<Problem, Known>> = {
  'no-address': { text: 'HyperStudy gives no address for it', again: false },
  refused: { text: 'the address was refused: it had expired, or the file may not be read', again: true },
  missing: { text: 'HyperStudy no longer has the file', again: false },
  redirected: { text: 'the address leads to another server, which was not followed', again: false },
  'unsafe-address': { text: 'the address is not an https:// one', again: false },
  broken: { text: 'the connection broke off', again: true },
  slow: { text: 'the server was too slow; the next try continues', again: false },
  failed: { text: 'the server failed', again: true },
  'other-size': { text: 'the file is shorter or longer than HyperStudy says', again: false },
  changed: { text: 'HyperStudy now has another file than before; the new one is held', again: false },
  lost: { text: 'the file is no longer in the media folder', again: false },
  damaged: { text: 'the file in the media folder has another size', again: false },
};

/** A try that brought no file. */
export class MediaFailure extends Error {
  readonly problem: Problem;
  constructor(problem: Problem, options: { cause?: unknown } = {}) {
    super(PROBLEMS[problem].text, options);
    this.name = 'MediaFailure';
    this.problem = problem;
  }
}

/** The person was erased while their file was on its way. */
export class Erased extends Error {}

/** What a refusal of the API to name an address means for one file; undefined where it is not about the file. */
export function problemOf(error: WarehouseError): Problem | undefined {
  if (error.code === 'NOT_FOUND') return 'missing';
  if (error.code === 'SCOPE_MISSING') return 'refused';
  if (error.code === 'PARAMETER_REFUSED') return 'no-address';
  return error.code === 'SERVER_FAILED' ? 'failed' : undefined;
}
