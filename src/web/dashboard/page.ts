import { html } from 'hono/html';
import { formatTime } from '../../shared/time.ts';
import { experimentsSection } from './experiments.ts';
import { ago, clockTime, schedule, size, type Html } from './format.ts';
import { growthSection } from './growth.ts';
import { headlineOf, headlineSection } from './headline.ts';
import { issuesSection } from './issues.ts';
import { layout } from './layout.ts';
import { requestsSection } from './requests.ts';
import { workSection } from './work.ts';
import type { DaemonView } from '../../status/view.ts';

/** The dashboard as one HTML document, which works without other files and without JavaScript. */
export function dashboard(view: DaemonView): Html {
  const headline = headlineOf(view);
  return layout(
    `${headline.state} · HyperStudy Warehouse`,
    html`<a class="skip" href="#main">Skip to the content</a>
      <header>
        <h1>HyperStudy Warehouse</h1>
        <p id="live">
          As of <time datetime="${formatTime(view.now)}">${clockTime(view.now)}</time> · <a href="/">Reload</a>
        </p>
      </header>
      <div id="gone" hidden>
        <p id="gone-why" role="alert"></p>
        <p id="gone-since"></p>
      </div>
      <main id="main" tabindex="-1">
        ${headlineSection(view, headline)}
        <div class="two">${issuesSection(view)} ${workSection(view)}</div>
        ${experimentsSection(view)}
        <div class="two even">${requestsSection(view)} ${growthSection(view)}</div>
      </main>
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
