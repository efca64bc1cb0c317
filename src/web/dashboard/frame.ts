import { html } from 'hono/html';
import { formatTime } from '../../shared/time.ts';
import type { DaemonView } from '../../status/view.ts';
import { ago, clockTime, schedule, size, type Html } from './format.ts';
import { layout } from './layout.ts';

/** What surrounds each page that shows the daemon's state. @param here the address of the page. */
export function framed(view: DaemonView, { title, here }: { title: string; here: string }, main: Html): Html {
  const name = html`HyperStudy Warehouse`;
  return layout(
    `${title} · HyperStudy Warehouse`,
    html`<a class="skip" href="#main">Skip to the content</a>
      <header>
        <h1>${here === '/' || here.startsWith('/?') ? name : html`<a href="/">${name}</a>`}</h1>
        <p id="live">
          As of <time datetime="${formatTime(view.now)}">${clockTime(view.now)}</time> · <a href="${here}">Reload</a>
        </p>
      </header>
      <div id="gone" hidden>
        <p id="gone-why" role="alert"></p>
        <p id="gone-since"></p>
      </div>
      <main id="main" tabindex="-1">${main}</main>
      ${footer(view)}`,
    true,
  );
}

function footer(view: DaemonView): Html {
  const { version, startedAt, now, warehouse } = view;
  return html`<footer id="about">
    <p>Version ${version}, started ${ago(startedAt, now)}, reads ${schedule(view.schedule)}</p>
    <p><code>${warehouse.path}</code>, write-ahead log ${size(warehouse.walBytes)}</p>
    <nav aria-label="For programs">
      <a href="/api/status">Status as JSON</a> <a href="/metrics">Metrics</a> <a href="/readyz">Ready?</a>
      <a href="/healthz">Healthy?</a>
    </nav>
  </footer>`;
}
