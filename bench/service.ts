/** The server of the bench, as the process that measures sees it. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Answer, Changes, Order } from './server.ts';

export interface Service {
  readonly url: string;
  /** The requests since this was last asked. */
  requests(): Promise<number>;
  /** Lets rows come late, change and be deleted upstream. */
  change(): Promise<Changes>;
  /** As it was at first. */
  restore(): Promise<void>;
  stop(): void;
}

export async function startService(rows: number): Promise<Service> {
  const child = fork(join(import.meta.dirname, 'server.ts'), [String(rows)]);
  const next = () =>
    new Promise<Answer>((resolve, reject) => {
      child.once('message', (answer: Answer) => {
        child.removeAllListeners('exit');
        resolve(answer);
      });
      child.once('exit', (status) => reject(new Error(`the server ended with ${String(status)}`)));
    });
  const started = await next();
  if (!('port' in started)) throw new Error('the server said something else than its port');
  const ask = (order: Order) => {
    const answer = next();
    child.send(order);
    return answer;
  };
  const change = async (order: Order): Promise<Changes> => {
    const answer = await ask(order);
    if (!('changes' in answer)) throw new Error('the server did not say what it changed');
    return answer.changes;
  };
  return {
    url: `http://127.0.0.1:${started.port}/api/v3`,
    async requests() {
      const answer = await ask({ do: 'count' });
      return 'requests' in answer ? answer.requests : NaN;
    },
    change: () => change({ do: 'change' }),
    async restore() {
      await change({ do: 'restore' });
    },
    stop: () => child.disconnect(),
  };
}
