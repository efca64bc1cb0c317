/** The style of pages that are printed or sent: one column, light and dark, readable at 400 px and on A4 paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fff; --faint: #f3f5f9; --line: #d9dee7; --text: #1b2433; --soft: #566175; --accent: #2b59c3;
  --bar: #c9d7f5; --ok: #17774a; --ok-ground: #eaf6ef; --warn: #8f5600; --warn-ground: #fff6e5;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #0f131a; --faint: #171d27; --line: #2f3846; --text: #e5e9f0; --soft: #a0abbd; --accent: #8db0ff;
    --bar: #2b3f6b; --ok: #5bcb94; --ok-ground: #14291f; --warn: #e8b059; --warn-ground: #2b2416;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; max-width: 76rem; padding: 2rem 1.5rem 4rem; background: var(--ground); color: var(--text);
  font: 0.9375rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, h4, p, ul, ol, dl, dd { margin: 0; padding: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.015em; }
h2 { font-size: 1.5rem; line-height: 1.25; margin-top: 3.5rem; padding-top: 1.5rem; border-top: 3px solid var(--text); }
h3 { font-size: 1.1875rem; margin: 2.5rem 0 0.6rem; }
h4 { font-size: 1rem; font-family: var(--mono); margin-top: 2rem; }
small, .soft { color: var(--soft); font-size: 0.8125rem; }
code { font-family: var(--mono); font-size: 0.92em; }
a { color: var(--accent); text-underline-offset: 0.15em; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.about { max-width: 46rem; margin-top: 0.75rem; }
.state { margin-top: 1.25rem; padding: 0.75rem 1rem; border-left: 5px solid var(--ok); background: var(--ok-ground); }
.state.incomplete { border-left-color: var(--warn); background: var(--warn-ground); }
.state b { color: var(--ok); }
.state.incomplete b { color: var(--warn); }
.state ul { margin: 0.4rem 0 0; padding-left: 1.2rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.75rem 2.5rem; margin-top: 1.25rem; }
.facts dt { color: var(--soft); font-size: 0.8125rem; }
.facts dd { font-weight: 600; }
nav a { text-underline-offset: 0.3em; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; list-style: none; margin-top: 1.25rem; font-size: 0.875rem; }
.rows { margin: 0.15rem 0 0.6rem; }
.badge { font-weight: 600; color: var(--ok); }
.badge.incomplete { color: var(--warn); }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: 0.875rem; }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.9rem 0.4rem 0; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 0.8125rem; border-bottom: 1px solid var(--text); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.name { font-family: var(--mono); font-size: 0.8125rem; }
td small, th small { display: block; font-family: system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
.levels { list-style: none; }
.levels li { display: flex; justify-content: space-between; gap: 0.75rem; padding: 0 0.35rem; margin-bottom: 1px;
  background: linear-gradient(to right, var(--bar) var(--share), var(--faint) var(--share)); font-size: 0.8125rem; }
.levels li > :last-child { flex-shrink: 0; font-variant-numeric: tabular-nums; }
.levels small { display: inline; color: inherit; opacity: 0.85; }
.columns th:nth-child(1) { width: 24%; }
.columns th:nth-child(3) { width: 26%; }
.columns th:nth-child(n + 4) { width: 5rem; }
.questions th:nth-child(1) { width: 36%; }
.questions th:nth-child(3) { width: 34%; }
.variables th:nth-child(4) { width: 36%; }
.design th:nth-child(1) { width: 2.5rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }

@media screen and (max-width: 44rem) {
  body { padding: 1.25rem 1rem 3rem; }
  table, tbody, tr, td, tbody th { display: block; width: auto; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { padding: 0.6rem 0; border-top: 1px solid var(--line); }
  tbody tr + tr > * { border-top: 0; }
  th, td { padding: 0.1rem 0; width: auto !important; }
  td:empty { display: none; }
  .number { display: inline-block; text-align: left; margin-right: 1rem; color: var(--soft); font-size: 0.8125rem; }
  td[data-of]::before { content: attr(data-of) ' '; color: var(--soft); font-size: 0.8125rem; }
}
@page { size: A4; margin: 14mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 9pt; }
  nav { display: none; }
  table, thead th, .name, .levels li, small, .soft { font-size: 8pt; }
  .columns th:nth-child(2) { width: 30%; }
  .columns th:nth-child(n + 4) { width: 3.6rem; }
  h2 { break-before: page; }
  h1 + * ~ h2:first-of-type { break-before: auto; }
  h3, h4, .rows { break-after: avoid; }
  tr, .state, .facts { break-inside: avoid; }
  .levels li, .state { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
