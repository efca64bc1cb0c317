import { html } from 'hono/html';
import { NOTHING, type Html } from './format.ts';
import { layout } from './layout.ts';

/** What was not accepted. */
export type Wrong = 'token' | 'ticket';

/** A form that asks for the token and leads to the page that was asked for. */
export function signIn({ pathname, searchParams }: URL, wrong: Wrong | undefined): Html {
  const id = searchParams.get('id');
  return layout(
    'Sign in · HyperStudy Warehouse',
    html`<main id="main" class="sign-in">
      <h1>HyperStudy Warehouse</h1>
      ${wrong === undefined ? NOTHING : html`<p role="alert" class="note"><b>${WRONG[wrong]}</b></p>`}
      <form method="get" action="${pathname}">
        ${id === null ? NOTHING : html`<input type="hidden" name="id" value="${id}" />`}
        <label for="token">Token for this dashboard</label>
        <p>
          <input id="token" name="token" type="password" autocomplete="current-password" required />
          <button>Open</button>
        </p>
      </form>
      <p class="aside">
        Run <code>hsw dashboard</code> on the computer of the daemon: it prints a link that opens this page once. Or
        enter the token: that of the daemon's configuration (http.token or http.tokenFile) or, without one, that in the
        file beside the warehouse whose name ends in .http-token. If you followed a link that works once,
        <a href="/">go on to the dashboard</a>.
      </p>
    </main>`,
    false,
  );
}

const WRONG: Readonly<Record<Wrong, string>> = {
  token: 'This token is wrong.',
  ticket: 'This link was used before, or is too old.',
};
