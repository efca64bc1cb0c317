import type { Describe } from './context.ts';

interface CommandEntry {
  readonly name: string;
  readonly description: string;
  readonly load: () => Promise<Describe>;
}

/** The commands, in the order of the help. What a command needs is loaded only when it is called. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'init',
    description:
      'ask a few questions, check the key, list its experiments and write config.yaml; never overwrites a file',
    load: async () => (await import('./commands/init.ts')).describe,
  },
  {
    name: 'doctor',
    description: 'check config, key, scopes, network, clock, disk and file permissions, and say what to do',
    load: async () => (await import('./commands/doctor.ts')).describe,
  },
  {
    name: 'sync',
    description: 'bring the warehouse up to date',
    load: async () => (await import('./commands/sync.ts')).describe,
  },
  {
    name: 'plan',
    description:
      'show what a sync would read, how many requests it needs and how long it takes under the limits; send no request',
    load: async () => (await import('./commands/plan.ts')).describe,
  },
  {
    name: 'verify',
    description: 'compare the warehouse with the API and report every difference; change nothing without --repair',
    load: async () => (await import('./commands/verify.ts')).describe,
  },
  {
    name: 'media',
    description: 'download the files of recordings that are not held yet',
    load: async () => (await import('./commands/media.ts')).describe,
  },
  {
    name: 'daemon',
    description: 'keep the warehouse fresh until stopped, with a dashboard that `hsw dashboard` opens',
    load: async () => (await import('./commands/daemon.ts')).describe,
  },
  {
    name: 'dashboard',
    description: 'print a link that opens the dashboard of the running daemon, once',
    load: async () => (await import('./commands/dashboard.ts')).describe,
  },
  {
    name: 'open',
    description: "open the dashboard or, without a daemon, an experiment's page in the browser",
    load: async () => (await import('./commands/open.ts')).describe,
  },
  {
    name: 'status',
    description: 'show streams, rows, freshness, completeness, the daemon and how much of the limits is used',
    load: async () => (await import('./commands/status.ts')).describe,
  },
  {
    name: 'query',
    description: 'run one SQL SELECT on the warehouse, and print a table, csv or json',
    load: async () => (await import('./commands/query.ts')).describe,
  },
  {
    name: 'export',
    description: 'stream the records of a data type; ndjson writes each one as the API sent it',
    load: async () => (await import('./commands/export.ts')).describe,
  },
  {
    name: 'snapshot',
    description: 'copy one state of the data into a folder that is described, and provably the same wherever it goes',
    load: async () => (await import('./commands/snapshot.ts')).describe,
  },
  {
    name: 'publish',
    description: 'write the data as Parquet for DuckDB, polars, Spark and others, and only what changed',
    load: async () => (await import('./commands/publish.ts')).describe,
  },
  {
    name: 'diff',
    description: 'compare two snapshots or warehouses: rows added, changed and removed, table by table',
    load: async () => (await import('./commands/diff.ts')).describe,
  },
  {
    name: 'codebook',
    description: 'describe the data of each experiment as one page (html, md) or csv, without personal data',
    load: async () => (await import('./commands/codebook.ts')).describe,
  },
  {
    name: 'certify',
    description:
      'write the page that goes with a paper: whether all data are there, and how that is known; check it later',
    load: async () => (await import('./commands/certify.ts')).describe,
  },
  {
    name: 'erase',
    description: 'erase a person who withdraws, so that nothing of them is left and no sync brings them back',
    load: async () => (await import('./commands/erase.ts')).describe,
  },
  {
    name: 'privacy',
    description: 'show which fields are not stored, make the key of the pseudonyms, and clean what was stored before',
    load: async () => (await import('./commands/privacy.ts')).describe,
  },
  {
    name: 'install-service',
    description: 'print the systemd unit for this installation and the commands to set it up, or write it (--install)',
    load: async () => (await import('./commands/install-service.ts')).describe,
  },
  {
    name: 'alerts',
    description: 'send a test message through every alert channel, and say which ones work',
    load: async () => (await import('./commands/alerts.ts')).describe,
  },
  {
    name: 'completion',
    description: 'print the script with which bash, zsh or fish completes the command line',
    load: async () => (await import('./commands/completion.ts')).describe,
  },
  {
    name: 'demo',
    description: 'sync three simulated experiments into ./data/demo.db, twice, and show what to query next',
    load: async () => (await import('./commands/demo.ts')).describe,
  },
  {
    name: 'simulator',
    description: 'run the built-in API simulator on this computer, to try things out',
    load: async () => (await import('./commands/simulator.ts')).describe,
  },
];
