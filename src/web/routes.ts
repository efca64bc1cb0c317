import { Hono } from 'hono';
import { compress } from 'hono/compress';
import type { Log } from '../shared/log.ts';
import { dashboard } from './dashboard/page.ts';
import { ICON } from './dashboard/icon.ts';
import { CONTENT_SECURITY_POLICY } from './dashboard/layout.ts';
import { experimentPage, noExperimentPage } from './dashboard/experiment-page.ts';
import { idIn } from './dashboard/experiment-address.ts';
import { choiceIn } from './dashboard/experiment-choice.ts';
import type { DaemonView, ExperimentRows } from '../status/view.ts';
import { onlyLoopbackHosts, onlyReads, requireToken, secureHeaders } from './guard.ts';
import { stalled, unreadiness } from './health.ts';
import type { Tickets } from './tickets.ts';
import type { RefuseLate } from './wrong-tokens.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { statusJson } from './status.ts';

export interface RouteOptions {
  readonly token: string;
  readonly tickets: Tickets;
  readonly refuseLate: RefuseLate;
  readonly isLoopback: boolean;
  /** The port in use, known once the server listens. */
  readonly port: () => number;
  readonly view: () => DaemonView;
  readonly rowsOf: (experiment: string) => ExperimentRows;
  readonly log: Log;
}

/** The routes; `server.ts` serves them on a port. */
export function createRoutes(options: RouteOptions): Hono {
  const { isLoopback, view, rowsOf, log } = options;
  const app = new Hono();
  app.use(secureHeaders(CONTENT_SECURITY_POLICY));
  if (isLoopback) app.use(onlyLoopbackHosts(log));
  app.use(onlyReads);
  app.get('/healthz', (c) => {
    // Everyone may ask, so that it says nothing else.
    const isOk = stalled(view().issues) === undefined;
    return c.json({ status: isOk ? 'ok' : 'not ok' }, isOk ? 200 : 503);
  });
  app.use(requireToken(options));
  app.use(compress());
  app.get('/readyz', (c) => {
    const reasons = unreadiness(view().issues);
    return reasons.length === 0 ? c.json({ status: 'ready' }) : c.json({ status: 'not ready', reasons }, 503);
  });
  // Created on the first request: measuring the event loop wakes an idle process a hundred times a second.
  let metrics: Metrics | undefined;
  app.get('/metrics', async (c) => {
    metrics ??= createMetrics();
    return c.body(await metrics.render(view()), 200, { 'Content-Type': metrics.contentType });
  });
  app.get('/api/status', (c) => c.body(statusJson(view()), 200, { 'Content-Type': 'application/json' }));
  app.get('/', (c) => c.html(dashboard(view(), choiceIn(new URL(c.req.url).searchParams))));
  app.on('GET', ['/experiments', '/experiments/*'], (c) => {
    const id = idIn(new URL(c.req.url));
    const now = view();
    const experiment = now.experiments.find((each) => each.id === id);
    if (experiment === undefined) return c.html(noExperimentPage(now, id), 404);
    return c.html(experimentPage(now, experiment, rowsOf(experiment.id)));
  });
  app.get('/icon.svg', (c) => c.body(ICON, 200, { 'Content-Type': 'image/svg+xml' }));
  app.notFound((c) => c.json({ status: 'not found', reasons: ['There is no such page.'] }, 404));
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path.slice(0, 200) }, 'a page could not be rendered');
    return c.json({ status: 'failed', reasons: ['The page could not be rendered; see the log of the daemon.'] }, 500);
  });
  return app;
}
