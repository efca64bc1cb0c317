/**
 * The page's own script. It requests the page again every few seconds and updates what differs, node by node, so that
 * focus, selection, scroll position and expanded lists are kept. If the daemon does not answer, the last state stays,
 * the page says how old it is, and it tries again within a minute.
 */
export const SCRIPT = `(() => {
'use strict';
const EVERY_MS = 5000, SELDOM_MS = 60000, PATIENCE_MS = 10000;
const root = document.documentElement;
const live = document.getElementById('live');
const gone = document.getElementById('gone');
const why = document.getElementById('gone-why');
const since = document.getElementById('gone-since');
const updated = document.createElement('span');
const pause = document.createElement('button');
let lastAt = Date.now(), paused = false, timer = 0, running = false;

const clock = (at) => new Date(at).toLocaleTimeString('en-GB');
const span = (ms) => ms < 90000 ? Math.round(ms / 1000) + ' s' : ms < 5400000 ? Math.round(ms / 60000) + ' min' : Math.round(ms / 3600000) + ' h';
const keyOf = (node) => node.nodeType === 1 ? node.dataset.key ?? node.id : '';
const say = (node, text) => { if (node.textContent !== text) node.textContent = text; };

/** Makes a node equal to another, but keeps lists expanded or collapsed as they are. */
function carryOver(from, to) {
  if (from.nodeType !== 1) { if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue; return; }
  for (const { name } of [...from.attributes]) if (name !== 'open' && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (name !== 'open' && from.getAttribute(name) !== value) from.setAttribute(name, value);
  const keyed = new Map([...from.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const key = keyOf(wanted);
    const found = key ? keyed.get(key) : at && !keyOf(at) && at.nodeName === wanted.nodeName ? at : undefined;
    if (!found || found.nodeName !== wanted.nodeName) { from.insertBefore(document.importNode(wanted, true), at); continue; }
    if (found === at) at = at.nextSibling; else from.insertBefore(found, at);
    carryOver(found, wanted);
  }
  while (at) { const next = at.nextSibling; at.remove(); at = next; }
}

function showAge() {
  if (gone.hidden) return;
  const next = paused ? 'Updates are paused.' : 'The page keeps trying.';
  say(since, 'Last updated at ' + clock(lastAt) + ', ' + span(Date.now() - lastAt) + ' ago. ' + next);
}

function show(text) {
  const next = new DOMParser().parseFromString(text, 'text/html');
  const build = next.documentElement.dataset.build;
  if (!build) throw new Error('Another program answers at this address.');
  if (build !== root.dataset.build) { location.reload(); return; }
  const focused = document.activeElement;
  for (const id of ['main', 'about']) carryOver(document.getElementById(id), next.getElementById(id));
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  document.title = next.title;
  lastAt = Date.now();
  gone.hidden = true;
  say(why, '');
  root.removeAttribute('data-gone');
}

async function ask() {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = await fetch(location.pathname + location.search, { headers: { accept: 'text/html' }, cache: 'no-store', signal }).catch(() => {
    throw new Error('The daemon does not answer.');
  });
  if (answer.status === 401) throw new Error('The daemon requires its token again: reload this page.');
  if (answer.status === 404) throw new Error('The daemon no longer knows this experiment.');
  if (!answer.ok) throw new Error('The daemon cannot render this page (HTTP ' + answer.status + '); see its log.');
  return answer.text().catch(() => { throw new Error('The connection to the daemon broke off.'); });
}

async function refresh() {
  if (running) return;
  running = true;
  clearTimeout(timer);
  const began = performance.now();
  try {
    show(await ask());
  } catch (error) {
    root.dataset.gone = '';
    gone.hidden = false;
    say(why, error.message);
    showAge();
    document.title = 'No answer · HyperStudy Warehouse';
  }
  running = false;
  say(updated, (paused ? 'Paused at ' : 'Updated ') + clock(lastAt));
  // A page that takes long to render is requested less often.
  const wait = Math.min(SELDOM_MS, Math.max(EVERY_MS, 20 * (performance.now() - began)));
  if (!paused && !document.hidden) timer = setTimeout(refresh, wait);
}

pause.type = 'button';
pause.textContent = 'Pause updates';
pause.addEventListener('click', () => {
  paused = !paused;
  pause.textContent = paused ? 'Resume updates' : 'Pause updates';
  clearTimeout(timer);
  showAge();
  if (paused) say(updated, 'Paused at ' + clock(lastAt)); else refresh();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden && !paused) refresh(); });
say(updated, 'Updated ' + clock(lastAt));
live.replaceChildren(updated, ' ', pause);
timer = setTimeout(refresh, EVERY_MS);
setInterval(showAge, EVERY_MS);
})();
`;
