import { html } from 'hono/html';
import { NOTHING, type Html } from './format.ts';
import { layout } from './layout.ts';

/** Asks a person for the token. @param isWrong whether the one that was just offered is not it. */
export function signIn(isWrong: boolean): Html {
  return layout(
    'Token wanted · HyperStudy Warehouse',
    html`<main id="main" class="sign-in">
      <h1>HyperStudy Warehouse</h1>
      ${isWrong ? html`<p role="alert" class="note"><b>That is not the token.</b></p>` : NOTHING}
      <form method="get" action="/">
        <label for="token">Token of this dashboard</label>
        <p>
          <input id="token" name="token" type="password" autocomplete="current-password" required />
          <button>Open</button>
        </p>
      </form>
      <p class="aside">
        It stands in the daemon's configuration. You followed a link that holds the token?
        <a href="/">Go on to the dashboard</a>.
      </p>
    </main>`,
    false,
  );
}
