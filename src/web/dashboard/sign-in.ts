import { html } from 'hono/html';
import { NOTHING, type Html } from './format.ts';
import { layout } from './layout.ts';

/** A form that asks for the token. @param isWrong whether a wrong one was just entered. */
export function signIn(isWrong: boolean): Html {
  return layout(
    'Sign in · HyperStudy Warehouse',
    html`<main id="main" class="sign-in">
      <h1>HyperStudy Warehouse</h1>
      ${isWrong ? html`<p role="alert" class="note"><b>This token is wrong.</b></p>` : NOTHING}
      <form method="get" action="/">
        <label for="token">Token for this dashboard</label>
        <p>
          <input id="token" name="token" type="password" autocomplete="current-password" required />
          <button>Open</button>
        </p>
      </form>
      <p class="aside">
        It is in the daemon's configuration (http.token or http.tokenFile). If you followed a link with the token,
        <a href="/">go on to the dashboard</a>.
      </p>
    </main>`,
    false,
  );
}
