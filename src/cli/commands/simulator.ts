import { InvalidArgumentError } from 'commander';
import { once } from 'node:events';
import { DEMO_KEY, startSimulator } from '../../simulator/server.ts';
import { DATASETS } from '../../datasets/registry.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { commandName, type Command, type Describe } from '../context.ts';
import { HOUR_MS } from '../../shared/time.ts';

interface SimulatorFlags {
  readonly port: number;
  readonly seed: number;
}

export const describe: Describe = (program, run) => {
  program
    .option('--port <port>', 'the port to listen on', wholeNumber, 8787)
    .option('--seed <seed>', 'the seed of the simulated data', wholeNumber, 1)
    .addHelpText('after', '\nExample:\n  hsw simulator --port 8787')
    .action((flags: SimulatorFlags) => run(simulator, flags));
};

/** `hsw simulator`: runs until interrupted. */
const simulator: Command<SimulatorFlags> = async (context, { port, seed }) => {
  const world = { seed, start: Date.now() - 3 * HOUR_MS, roomsPerExperiment: 8, roomEveryMs: 1_800_000 };
  const running = await startSimulator({ port, world, declared: DATASETS }).catch((cause: unknown) => {
    throw new WarehouseError('USAGE', `Port ${port} cannot be used.`, {
      hint: 'Choose a free one with --port.',
      cause,
    });
  });
  const { url, world: made } = running;
  const hsw = commandName(context);
  context.stdout.write(
    context.json
      ? `${JSON.stringify({ url, key: DEMO_KEY, experiments: made.experimentIds })}\n`
      : `The simulated HyperStudy API listens on ${url}. New rooms open while it runs; Ctrl-C stops it.\nIts experiments: ${made.experimentIds.join(', ')}\n\nIn another terminal:\n  export HYPERSTUDY_BASE_URL=${url}\n  export HYPERSTUDY_API_KEY=${DEMO_KEY}\n  ${hsw} init --yes --all\n  ${hsw} sync now\n`,
  );
  if (!context.signal.aborted) await once(context.signal, 'abort');
  await running.close();
  return EXIT.interrupted;
};

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be an integer.');
  return Number(text);
}
