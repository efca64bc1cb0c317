import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { NOTHING, type Html } from './format.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** Changes with the page's own code, so that an open page notices when the daemon was updated. */
const BUILD = hash(STYLE + SCRIPT).slice(0, 12);

// Made outside the template, as any extra space would no longer match the hashes of the policy.
const STYLE_ELEMENT = raw(`<style>${STYLE}</style>`);
const SCRIPT_ELEMENT = raw(`<script>${SCRIPT}</script>`);

/** Nothing from elsewhere; only this page's own script and style. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `script-src 'sha256-${hash(SCRIPT)}'`,
  `style-src 'sha256-${hash(STYLE)}'`,
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** A whole document. @param isLive whether the page refreshes itself. */
export function layout(title: string, body: Html, isLive: boolean): Html {
  return html`<!doctype html>
    <html lang="en" data-build="${BUILD}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        ${STYLE_ELEMENT}
      </head>
      <body>
        ${body} ${isLive ? SCRIPT_ELEMENT : NOTHING}
      </body>
    </html> `;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
