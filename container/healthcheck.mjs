/* global AbortSignal, console, fetch */
// Asks the daemon whether it makes progress, or rightly waits (/healthz answers 200 or 503); the image has no curl.
const url = process.env.HSW_HEALTH_URL ?? 'http://127.0.0.1:8788/healthz';
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(8000) });
  console.log((await answer.text()).slice(0, 2000));
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.log(`no answer from ${url}: ${error.cause?.code ?? error.name}`);
  process.exitCode = 1;
}
