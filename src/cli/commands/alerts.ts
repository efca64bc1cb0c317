import { InvalidArgumentError } from 'commander';
import { hostname } from 'node:os';
import type { Message } from '../../alerts/incidents.ts';
import { channelsOf } from '../../alerts/deliver.ts';
import { systemClock } from '../../shared/clock.ts';
import { EXIT, WarehouseError } from '../../shared/errors.ts';
import { readConfig, type Command, type Describe } from '../context.ts';

export const describe: Describe = (program, run) => {
  program
    .argument('<what>', 'test', (value: string) => {
      if (value !== 'test') throw new InvalidArgumentError('Did you mean `alerts test`?');
      return value;
    })
    .addHelpText('after', '\nExamples:\n  hsw alerts test\n  hsw alerts test --json')
    .action((_what: unknown, flags: unknown) => run(testAlerts, flags));
};

/** `hsw alerts test`: one test message through each channel, and ✓ or ✗ with what to do. */
const testAlerts: Command<unknown> = async (context) => {
  const config = readConfig(context, false, true);
  const channels = channelsOf(config.alerts, `hyperstudy-warehouse on ${hostname()}`);
  if (channels.length === 0)
    throw new WarehouseError(
      'USAGE',
      `No alerts are configured: ${config.path} has neither alerts.webhook nor alerts.smtp.`,
      {
        hint: 'config.example.yaml shows how to write them.',
      },
    );
  const results = await Promise.all(
    channels.map(async (channel) => {
      const failure = await channel.send(testMessage(systemClock.now()), context.signal);
      if (!context.json) context.stdout.write(`${lineOf(channel.name, failure)}\n`);
      return { channel: channel.name, ok: failure === undefined, problem: failure?.problem, hint: failure?.hint };
    }),
  );
  const ok = results.every((result) => result.ok);
  if (context.json) context.stdout.write(`${JSON.stringify({ ok, channels: results }, null, 2)}\n`);
  return ok ? EXIT.ok : EXIT.partial;
};

function testMessage(now: number): Message {
  return {
    alert: 'test',
    state: 'test',
    kind: 'test',
    subject: 'Test of the alerts',
    text: 'This is a test from `hsw alerts test`. Alerts like this one tell you when something is wrong with the warehouse.',
    hint: 'You need not do anything.',
    at: now,
  };
}

function lineOf(name: string, failure: { problem: string; hint: string } | undefined): string {
  return failure === undefined
    ? `✓ ${name}: the test message was accepted; check that it arrived`
    : `✗ ${name}: ${failure.problem}. ${failure.hint}`;
}
