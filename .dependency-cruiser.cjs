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
    only('config', ['shared', 'datasets']),
    only('budget', ['shared']),
    only('datasets', ['shared']),
    only('plan', ['shared', 'config', 'datasets']),
    only('api', ['shared']),
    only('warehouse', ['shared', 'datasets']),
    only('sync', ['shared', 'config', 'datasets', 'plan', 'api', 'budget', 'warehouse']),
    only('daemon', ['shared', 'config', 'datasets', 'plan', 'budget', 'warehouse', 'sync']),
    only('simulator', ['shared']),
    sole('undici', 'api/client\\.ts$'),
    sole('bottleneck', 'budget/queue\\.ts$'),
    sole('node-cron', 'daemon/scheduler\\.ts$'),
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
