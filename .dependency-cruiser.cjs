/** The rooms of the house and who may import whom; CONTRIBUTING.md explains why. */
const room = (name) => `^src/${name}/`;
const only = (from, allowed) => ({
  name: `${from}-imports-only-${allowed.join('-') || 'nothing-of-ours'}`,
  severity: 'error',
  from: { path: room(from) },
  to: { path: '^src/', pathNot: [room(from), ...allowed.map(room)] },
});
const sole = (pkg, file) => ({
  name: `only-${file.replaceAll('/', '-')}-imports-${pkg}`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${file}` },
  to: { path: `node_modules/${pkg}/` },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/main\\.ts$' },
      to: {},
    },
    { name: 'src-never-imports-test', severity: 'error', from: { path: '^src/' }, to: { path: '^test/' } },
    only('shared', []),
    only('datasets', ['shared']),
    only('config', ['shared', 'datasets']),
    only('api', ['shared']),
    only('budget', ['shared']),
    only('derive', ['shared', 'datasets']),
    only('warehouse', ['shared', 'datasets', 'derive']),
    only('spec', ['shared', 'datasets', 'warehouse']),
    only('schedule', ['shared', 'datasets', 'config']),
    only('read', ['shared', 'datasets', 'config', 'api', 'warehouse']),
    only('sync', ['shared', 'datasets', 'config', 'api', 'budget', 'derive', 'warehouse', 'schedule', 'read']),
    only('media', ['shared', 'config', 'api', 'budget', 'warehouse']),
    only('status', ['shared', 'datasets', 'config', 'warehouse', 'schedule']),
    only('alerts', ['shared', 'config', 'status']),
    only('web', ['shared', 'datasets', 'config', 'status']),
    only('control', ['shared', 'datasets', 'config', 'sync']),
    only('export', ['shared', 'datasets', 'derive', 'warehouse']),
    only('runtime', ['shared', 'config', 'api', 'budget', 'warehouse']),
    {
      name: 'no-room-imports-cli-or-daemon',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli|daemon)/|^src/main\\.ts$' },
      to: { path: '^src/(cli|daemon)/' },
    },
    {
      name: 'daemon-imports-no-cli-nor-simulator',
      severity: 'error',
      from: { path: room('daemon') },
      to: { path: '^src/(cli|simulator)/' },
    },
    only('simulator', ['shared']),
    sole('undici', 'api/(client|download)\\.ts$'),
    sole('(pg|pg-copy-streams)', 'export/postgres/server\\.ts$'),
    sole('bottleneck', 'budget/queue\\.ts$'),
    {
      name: 'only-shared-drizzle-loads-drizzle-orm',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/shared/drizzle\\.ts$' },
      to: { path: 'node_modules/drizzle-orm/', dependencyTypesNot: ['type-only'] },
    },
    sole('node-cron', 'schedule/slots\\.ts$'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
