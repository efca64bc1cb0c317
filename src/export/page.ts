import { html, raw } from 'hono/html';
import { STYLE } from './page-style.ts';

/** Escaped markup, as `html` makes it from a template. */
export type Html = ReturnType<typeof html>;

/** A page that needs nothing else, and lets nothing else in: no script, no font, no picture. */
export async function page(title: string, body: Html, style = ''): Promise<string> {
  const whole = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}</title>
        ${raw(`<style>${STYLE}${style}</style>`)}
      </head>
      <body>
        ${body}
      </body>
    </html>`;
  return `${await whole}\n`;
}

/** A named figure of the head of a page. */
export function fact(name: string, value: string): Html {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}
