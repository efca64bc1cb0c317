import type { Priority } from '../shared/priority.ts';
import type { SyncContext } from '../sync/open-session.ts';

/** What reading a stream needs, whether whole or not. */
export type ReadContext = Omit<SyncContext, 'full'>;

/** A context over the connection in use. */
export type ContextOf = (signal: AbortSignal, priority: Priority) => ReadContext;
