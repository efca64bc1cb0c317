/** `npm run simulation -- --seeds 1000 [--from 1]`: many seeds, and what they came to. A single seed replays exactly. */
import { parseArgs } from 'node:util';
import { simulate, type Outcome } from './simulate.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '100' }, from: { type: 'string', default: '1' } },
});
const [first, count] = [Number(values.from), Number(values.seeds)];
const outcomes: Outcome[] = [];
const began = Date.now();
for (let seed = first; seed < first + count; seed++) {
  const outcome = await simulate(seed).catch((error: unknown) => {
    throw new Error(`seed ${seed} ended in an error`, { cause: error });
  });
  outcomes.push(outcome);
  for (const violation of outcome.violations) console.log(`✗ seed ${seed}: ${violation}`);
}
const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + pick(outcome), 0);
const failed = outcomes.filter(({ violations }) => violations.length > 0);
console.log(
  `seeds ${first}–${first + count - 1}: ${(sum(({ simulatedMs }) => simulatedMs) / 86_400_000).toFixed(0)} simulated days in ${((Date.now() - began) / 1000).toFixed(0)} s, ` +
    `${sum(({ syncs }) => syncs)} syncs, ${sum(({ requests }) => requests)} requests, ${sum(({ faults }) => faults)} faults, ${sum(({ kills }) => kills)} kills, ` +
    `${sum(({ violations }) => violations.length)} violations in ${failed.length} seeds`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
