/**
 * `npm run kill-test -- --cycles 1000 [--seed 1]`: a real process on a real file, killed with SIGKILL at random instants while it syncs,
 * migrates or reads everything again; after each kill the file is checked, and in the end the tables must equal the truth.
 */
import { parseArgs } from 'node:util';
import { killCampaign } from './campaign.ts';

const { values } = parseArgs({
  options: { cycles: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
});
const result = await killCampaign({ cycles: Number(values.cycles), seed: Number(values.seed) });
const kills = Object.values(result.kills).reduce((sum, n) => sum + n, 0);
for (const violation of result.violations) console.log(`✗ ${violation}`);
console.log(
  `${result.cycles} cycles, ${kills} kills: ${Object.entries(result.kills)
    .map(([struck, n]) => `${n} at a ${struck}`)
    .join(
      ', ',
    )} (${result.beforeFirstRow} before the first row was stored), ${result.finished} ran to their end first; ` +
    `${result.rows} rows in the end, at most ${result.mostRepeated} pages read again after a kill; ${result.violations.length} violations in ${(result.durationMs / 1000).toFixed(0)} s`,
);
process.exitCode = result.violations.length === 0 ? 0 : 1;
