/** A process that spends as fast as the ledger lets it, until the hour is spent; prints the endpoint of each request. */
import Database from 'better-sqlite3';
import { openLedger } from '../../../src/budget/ledger.ts';
import { systemClock } from '../../../src/shared/clock.ts';

const [path = ''] = process.argv.slice(2);
const db = new Database(path);
const ledger = openLedger(db, {
  clock: systemClock,
  keyId: 'k',
  perHour: 50,
  perEndpointPerMinute: 30,
  reserve: 0,
  deadlineMs: 1000,
});
for (;;) {
  const endpoint = Math.random() < 0.5 ? 'events' : 'chat';
  const grant = ledger.tryStart(endpoint);
  if ('token' in grant) {
    process.stdout.write(`${endpoint}\n`);
    if (Math.random() < 0.8) ledger.finish(grant.token);
  } else if (grant.limit === 'hour') break;
  await systemClock.sleep(1);
}
