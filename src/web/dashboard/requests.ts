import { html } from 'hono/html';
import type { DaemonView } from '../../status/view.ts';
import { count, counted } from '../../shared/count.ts';
import { bar, NOTHING, type Html } from './format.ts';

type Budget = DaemonView['budget'];

/** Requests spent, against both limits. */
export function requestsSection({ budget }: DaemonView): Html {
  const minute = [...budget.minute].sort((a, b) => b.used - a.used || a.endpoint.localeCompare(b.endpoint));
  const [busiest] = minute;
  return html`<section class="card" id="requests" aria-labelledby="requests-title">
    <h2 id="requests-title">Requests</h2>
    ${gauge('In the last hour', budget.hour)}
    ${
      busiest === undefined || busiest.used === 0
        ? html`<p class="empty">None in the last minute.</p>`
        : gauge(html`In the last minute, ${busiest.endpoint}`, busiest)
    }
    ${perMinute(budget.perMinute)} ${minute.length < 2 ? NOTHING : endpoints(minute)}
  </section>`;
}

function gauge(name: string | Html, { used, allowed }: Budget['hour']): Html {
  return html`<div class="gauge">
    <p class="pair">
      <span>${name}</span> <span><b>${count(used)}</b> of ${count(allowed)}</span>
    </p>
    ${bar(used, allowed)}
  </div>`;
}

/** Requests in each minute as bars; the tallest fills the height. */
function perMinute(requests: readonly number[]): Html {
  const most = Math.max(0, ...requests);
  const total = requests.reduce((sum, n) => sum + n, 0);
  if (total === 0) return NOTHING;
  const text = `Requests in each of the last ${requests.length} minutes: ${count(total)} in all, at most ${count(most)} in a minute.`;
  return html`<figure>
    <svg class="chart" viewBox="0 0 ${requests.length} 100" preserveAspectRatio="none" role="img" aria-label="${text}">
      ${requests.map((n, i) => {
        const height = (100 * n) / most;
        return html`<rect
          class="fill"
          x="${i + 0.1}"
          y="${(100 - height).toFixed(1)}"
          width="0.8"
          height="${height.toFixed(1)}"
          ><title>${counted(n, 'request')}, ${requests.length - 1 - i} min ago</title></rect
        >`;
      })}
    </svg>
    <figcaption class="pair" aria-hidden="true">
      <span>${requests.length} min ago</span><span>at most ${count(most)} a minute</span><span>now</span>
    </figcaption>
  </figure>`;
}

function endpoints(minute: Budget['minute']): Html {
  return html`<details data-key="endpoints">
    <summary>Every endpoint, last minute</summary>
    <table>
      <caption class="unseen">
        Requests in the last minute by endpoint
      </caption>
      <thead>
        <tr>
          <th scope="col">Endpoint</th>
          <th scope="col" class="number">Used</th>
          <th scope="col" class="number">Allowed</th>
        </tr>
      </thead>
      <tbody>
        ${minute.map(
          ({ endpoint, used, allowed }) =>
            html`<tr data-key="${endpoint}">
              <th scope="row">${endpoint}</th>
              <td class="number">${count(used)}</td>
              <td class="number">${count(allowed)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}
