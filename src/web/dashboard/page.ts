import { html } from 'hono/html';
import { addressWith, NO_CHOICE, type Choice } from './experiment-choice.ts';
import { experimentsSection } from './experiments.ts';
import type { Html } from './format.ts';
import { framed } from './frame.ts';
import { growthSection } from './growth.ts';
import { headlineOf, headlineSection } from './headline.ts';
import { issuesSection } from './issues.ts';
import { requestsSection } from './requests.ts';
import { workSection } from './work.ts';
import type { DaemonView } from '../../status/view.ts';

/** The dashboard as one HTML document, which works without other files and without JavaScript. */
export function dashboard(view: DaemonView, choice: Choice = NO_CHOICE): Html {
  const headline = headlineOf(view);
  return framed(
    view,
    { title: headline.state, here: addressWith(choice) },
    html`${headlineSection(view, headline)}
      <div class="two">${issuesSection(view)} ${workSection(view)}</div>
      ${experimentsSection(view, choice)}
      <div class="two even">${requestsSection(view)} ${growthSection(view)}</div>`,
  );
}
