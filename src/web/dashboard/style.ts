/**
 * The page's style: system fonts, light and dark, one column on narrow screens. Sizes grow with the reader's own text
 * size; every text has a contrast of at least 4.5 to its background.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f8; --card: #fff; --line: #dfe3ea; --faint: #eceff4;
  --text: #1b2433; --soft: #566175; --accent: #2b59c3;
  --ok: #17774a; --warn: #8f5600; --bad: #b3261e; --idle: #5f6b7f;
  --warn-ground: #fff6e5; --bad-ground: #fdecea; --ok-ground: #eaf6ef; --idle-ground: #e9eef8;
  --heat-1: #eef3fd; --heat-2: #d9e5fb; --heat-3: #bfd3f8; --heat-4: #a3c0f4;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f131a; --card: #171d27; --line: #2a3341; --faint: #202836;
    --text: #e5e9f0; --soft: #a0abbd; --accent: #8db0ff;
    --ok: #5bcb94; --warn: #e8b059; --bad: #ff8f85; --idle: #9aa6b9;
    --warn-ground: #2b2416; --bad-ground: #331d1e; --ok-ground: #14291f; --idle-ground: #1a2435;
    --heat-1: #19243a; --heat-2: #1c2f54; --heat-3: #213b6e; --heat-4: #28498a;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 90rem; padding: 0 1.25rem 2rem; background: var(--ground); color: var(--text);
  font: 0.875rem/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, p, ul, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: 0.9375rem; font-weight: 650; letter-spacing: 0.01em; }
h2 { font-size: 0.9375rem; font-weight: 650; margin-bottom: 0.6rem; }
h3 { font-size: 0.875rem; font-weight: 550; }
ul { list-style: none; }
b { font-weight: 650; }
small, .aside, figcaption { font-size: 0.8125rem; color: var(--soft); }
code { font-family: var(--mono); font-weight: 400; font-size: 0.92em; color: var(--soft); }
a { color: var(--accent); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
main:focus { outline: none; }
.skip { position: absolute; left: 1rem; top: -4rem; padding: 0.5rem 0.9rem; background: var(--card); border-radius: 6px; z-index: 1; }
.skip:focus { top: 0.5rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.pair { display: flex; justify-content: space-between; align-items: baseline; gap: 0.75rem; }
.pair > :last-child { text-align: right; flex-shrink: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.empty { color: var(--soft); }

body > header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 0.25rem 1rem; padding: 0.9rem 0 0.7rem; }
#live { color: var(--soft); font-size: 0.8125rem; font-variant-numeric: tabular-nums; }
button {
  font: inherit; color: var(--text); background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  padding: 0.2rem 0.6rem; margin-left: 0.4rem; cursor: pointer;
}
button:hover { border-color: var(--soft); }
#gone { background: var(--bad-ground); border: 1px solid var(--bad); border-radius: 10px; padding: 0.7rem 1rem; margin-bottom: 1rem; position: sticky; top: 0.5rem; z-index: 1; }
#gone-why { font-weight: 650; color: var(--bad); }
[data-gone] main { filter: grayscale(1); }

.headline { background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--idle); border-radius: 10px; padding: 1rem 1.25rem; }
.headline > p { font-size: 1.25rem; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; color: var(--soft); text-wrap: pretty; }
.headline [role='status'] { color: var(--text); }
.headline.complete { border-left-color: var(--ok); }
.headline.incomplete { border-left-color: var(--warn); }
.headline.failed { border-left-color: var(--bad); }
.facts { display: flex; flex-wrap: wrap; gap: 0.6rem 2.25rem; margin-top: 0.9rem; }
.facts dt { font-size: 0.8125rem; color: var(--soft); }
.facts dd { font-size: 1.0625rem; font-weight: 550; font-variant-numeric: tabular-nums; }
.facts small { font-weight: 400; }
b.incomplete { color: var(--warn); font-size: 0.8125rem; }

main > * + * { margin-top: 1rem; }
.two { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); gap: 1rem; align-items: start; }
.two.even { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem 1.25rem 1rem; }

.badge { color: var(--idle); white-space: nowrap; }
.badge.complete { color: var(--ok); }
.badge.incomplete { color: var(--warn); }
.badge.failed { color: var(--bad); }
.badge > [aria-hidden] { display: inline-block; min-width: 0.9em; text-align: center; font-weight: 700; }
.live { font-size: 0.6875rem; font-weight: 650; letter-spacing: 0.05em; text-transform: uppercase; color: var(--accent); border: 1px solid currentColor; border-radius: 99px; padding: 0 0.45em; }

.over, .experiments summary {
  display: grid; align-items: center; gap: 0.2rem 0.9rem;
  grid-template-columns: minmax(9rem, 1fr) max-content 11.75rem 6.75rem 5.25rem;
}
.over { align-items: end; margin-top: -2.4rem; padding: 0 0 0.35rem 1.1rem; color: var(--soft); }
.choice { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem 0.9rem; margin-bottom: 2.6rem; font-size: 0.8125rem; color: var(--soft); }
.choice input, .choice select { font: inherit; color: var(--text); background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.2rem 0.4rem; margin-left: 0.25rem; }
.choice button { margin-left: 0; }
.headings { display: block; overflow: visible; }
.headings text { font-size: 11px; fill: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: 0 0.6rem; font-size: 0.75rem; }
.experiments > ul > li { border-top: 1px solid var(--line); }
summary { cursor: pointer; border-radius: 6px; }
.experiments summary { position: relative; padding: 0.45rem 0 0.45rem 1.1rem; list-style: none; }
.experiments summary::-webkit-details-marker { display: none; }
.experiments li > details > summary::before {
  content: ''; position: absolute; left: 0.15rem; top: 0.9rem; width: 0.4rem; height: 0.4rem;
  border: solid var(--soft); border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg);
}
.experiments li > details[open] > summary::before { transform: rotate(45deg); }
.experiments summary:hover { background: var(--faint); }
.experiments summary .name { margin-right: 0.15rem; }
.pips path { fill: var(--idle); }
.pips .complete path { fill: var(--ok); }
.pips .incomplete path { fill: var(--warn); }
.pips .failed path { fill: var(--bad); }
.pips .hit { fill: transparent; }
.pips { display: block; }
.reasons { margin: -0.2rem 0 0.55rem; padding-left: 1.1rem; font-size: 0.8125rem; }
.reasons > li { padding: 0.1rem 0; }
details[open] + .reasons { display: none; }

.scroll { overflow-x: auto; margin: 0.1rem 0 0.8rem 1.1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.8125rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.9rem 0.25rem 0; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0.2rem; }
th.number, td.number { text-align: right; }
thead th { color: var(--soft); border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr + tr > * { border-top: 1px solid var(--faint); }
.scroll table { min-width: 40rem; overflow-wrap: break-word; }
.scroll td:not(:nth-child(2)) { white-space: nowrap; }
.scroll th:nth-child(1) { width: 15rem; }
.scroll th:nth-child(3) { width: 6.5rem; }
.scroll th:nth-child(n + 4) { width: 7rem; }
.scroll td.number, .scroll th.number { padding-right: 1.75rem; }
.why { max-width: 34rem; color: var(--soft); }

.experiments > ul > li { position: relative; }
.over, .experiments summary { padding-right: 4.25rem; }
.experiments .to-page { position: absolute; right: 0; top: 0.45rem; }
h1 a { color: inherit; }
.headline h2 { margin-bottom: 0.3rem; }
.headline > .aside, .headline > .hint { margin-top: 0.3rem; font-size: 0.8125rem; font-weight: 400; letter-spacing: 0; }
.heat .scroll, .changes .scroll, .streams .scroll { margin-left: 0; }
.heat .scroll table, .changes .scroll table { min-width: 0; width: auto; }
.heat .scroll th, .heat .scroll td { width: auto; padding: 0.25rem 0.5rem; white-space: nowrap; }
.heat .scroll tbody th { white-space: normal; min-width: 6.5rem; max-width: 12rem; position: sticky; left: 0; background: var(--card); }
.heat tbody td { border-left: 1px solid var(--card); }
.heat .rest > * { color: var(--soft); }
.heat-1 { background: var(--heat-1); }
.heat-2 { background: var(--heat-2); }
.heat-3 { background: var(--heat-3); }
.heat-4 { background: var(--heat-4); }
.lacks { background: var(--bad-ground); color: var(--bad); outline: 1px dashed currentColor; outline-offset: -2px; }
.changes .scroll th, .changes .scroll td { width: auto; padding-right: 0.9rem; }
.funnel li + li { margin-top: 0.5rem; }
.funnel h3 { margin: 0.9rem 0 0.4rem; }
.funnel ul + .aside, .funnel .aside + .aside { margin-top: 0.7rem; }
.funnel .bar.full .fill { fill: var(--accent); }

.sign.error { color: var(--bad); }
.sign.warning { color: var(--warn); }
.issues li + li { border-top: 1px solid var(--line); margin-top: 0.6rem; padding-top: 0.6rem; }
.hint { color: var(--text); }
.note { background: var(--warn-ground); border-radius: 6px; padding: 0.5rem 0.7rem; margin-top: 0.7rem; }
.card details:not([open]) > summary, .card details > summary { width: fit-content; }
.experiments li > details > summary, .experiments li > details:not([open]) > summary { width: auto; }
section > details > summary { margin-top: 0.6rem; color: var(--soft); font-size: 0.8125rem; }
section > details > :not(summary) { margin-top: 0.5rem; }

.work li + li { margin-top: 0.6rem; }
.gauge + .gauge { margin-top: 0.6rem; }
.bar { display: block; width: 100%; height: 0.4rem; border-radius: 99px; margin: 0.2rem 0; }
.track { fill: var(--line); }
.fill { fill: var(--accent); }
.bar.full .fill { fill: var(--warn); }
figure { margin-top: 0.8rem; }
.chart { display: block; width: 100%; height: 4rem; border-bottom: 1px solid var(--line); }
.growth .chart { height: 6.5rem; border: 0; }
.grid { fill: none; stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.line { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.axis { font-variant-numeric: tabular-nums; }

footer { display: flex; flex-wrap: wrap; gap: 0.3rem 2rem; margin-top: 1.25rem; font-size: 0.8125rem; color: var(--soft); }
footer nav { display: flex; flex-wrap: wrap; gap: 0 1rem; margin-left: auto; }
.sign-in { max-width: 28rem; margin: 12vh auto 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.5rem; }
.sign-in > * + * { margin-top: 1rem; }
.sign-in form p { display: flex; margin-top: 0.3rem; }
.sign-in input { font: inherit; flex: 1; min-width: 0; padding: 0.35rem 0.5rem; color: var(--text); background: var(--ground); border: 1px solid var(--soft); border-radius: 6px; }

@media (max-width: 56rem) {
  .two, .two.even { grid-template-columns: minmax(0, 1fr); }
  body { padding: 0 0.75rem 1.5rem; }
  .headline, .card { padding-left: 0.9rem; padding-right: 0.9rem; }
  .headline > p { font-size: 1.1875rem; }
  .headings { display: none; }
  .over { display: block; margin-top: 0; }
  .experiments summary .badge { white-space: normal; }
  .scroll table { min-width: 46rem; }
  .scroll th:nth-child(1) { width: 9.5rem; }
  .over, .experiments summary { padding-right: 0; }
  .experiments summary > h3 { padding-right: 4rem; }
  .experiments summary { grid-template-columns: minmax(0, 1fr) max-content max-content; }
  .experiments summary > h3, .experiments summary > .pips { grid-column: 1 / -1; }
  .pips { max-width: 100%; }
  footer nav { margin-left: 0; }
}
@media (prefers-reduced-motion: no-preference) {
  .experiments li > details > summary::before { transition: transform 0.12s; }
  .skip { transition: top 0.12s; }
}
@media (forced-colors: active) {
  .pips path, .fill { fill: CanvasText; }
  .line { stroke: CanvasText; }
}
@media print {
  body { background: none; }
  .card, .headline { break-inside: avoid; }
}
`;
