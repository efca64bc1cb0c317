import type { Dataset } from '../datasets/define.ts';
import type { FieldKind } from '../datasets/values.ts';
import type { Description, Endpoint } from './description.ts';

/** One thing in which a description differs from what this version knows. */
export interface Finding {
  readonly kind: 'endpoint' | 'field' | 'type' | 'parameter' | 'page';
  /** The data type that it is about; null where there is none yet. */
  readonly data: string | null;
  /** The file to change. */
  readonly file: string;
  readonly text: string;
}

/** Endpoints that are known and not read; docs/api-coverage.md says why. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  '/health',
  '/openapi.yaml',
  '/experiments',
  '/experiments/shared',
  '/experiments/{}/export',
  '/deployments/{}',
  '/data/counts/participant/{}',
  '/data/check-access/experiment/{}',
  '/data/recordings/download/{}/{}',
  '/data/agent-decisions/room/{}/decision/{}',
]);

/** Parameters that any endpoint may take, and that are sent or deliberately not. */
const COMMON: ReadonlySet<string> = new Set(
  'experimentId roomId deploymentId startTime endTime limit offset sort order format status search'.split(' '),
);

/** The page with which every endpoint begins (`sync/page-size.ts`). */
const FIRST_PAGE = 1000;

/** The JSON types that fit the column of each kind. */
const FITS: Readonly<Record<FieldKind, readonly string[]>> = {
  text: ['string'],
  time: ['string'],
  integer: ['integer'],
  real: ['number', 'integer'],
  boolean: ['boolean'],
  json: ['object', 'array'],
  any: ['string', 'number', 'integer'],
};

/** Every difference between a description and the registered data types, in the order of these. */
export function compareWithRegistry({ endpoints }: Description, datasets: readonly Dataset[]): Finding[] {
  const described = endpoints.flatMap(spelledOut);
  const ofDatasets = datasets.flatMap((dataset) => {
    const addresses = addressesOf(dataset);
    const own = described.filter(({ path }) => addresses.some((address) => matches(path, address)));
    return [
      ...missing(dataset, addresses, own),
      ...fields(dataset, own),
      ...parameters(dataset, own),
      ...pages(dataset, own),
    ];
  });
  const known = datasets.flatMap(addressesOf);
  const unknown = described.filter(
    ({ path }) => !LEFT_OUT.has(path) && !known.some((address) => matches(path, address)),
  );
  const paths = [...new Set(unknown.map(({ path }) => path))];
  return [
    ...paths.map((path): Finding => ({
      kind: 'endpoint',
      data: null,
      file: 'src/datasets/registry.ts',
      text: `GET ${shown(path)} is described and not read: register a data type for it, or name it in LEFT_OUT of src/spec/compare.ts`,
    })),
    ...ofDatasets,
  ];
}

/** The file that declares a data type. */
export function fileOf({ name }: Pick<Dataset, 'name'>): string {
  return `src/datasets/${name === 'sync' ? 'sync-metrics' : name.replaceAll('/', '-')}.ts`;
}

/** An endpoint with its ids as `{}`, once for each data type where it names several in a parameter. */
function spelledOut(endpoint: Endpoint): Endpoint[] {
  const path = endpoint.path.replace(/^\/api\/v\d+(?=\/)/, '').replace(/(?<=.)\/$/, '');
  const type = endpoint.parameters.find(
    ({ name, isInPath, values }) => isInPath && name === 'dataType' && values.length > 0,
  );
  const paths = type === undefined ? [path] : type.values.map((value) => path.replace('{dataType}', value));
  return paths.map((one) => ({ ...endpoint, path: one.replaceAll(/\{[^{}]*\}/g, '{}') }));
}

/** The paths that a data type is read from, with its ids as `{}`. */
function addressesOf({ name, path, scopes }: Dataset): string[] {
  if (path !== undefined) return [path.replace(/\?.*$/, '').replaceAll(/\{[^{}]*\}/g, '{}')];
  const asked = scopes.map((scope) => (scope === 'deployment' ? 'experiment' : scope));
  return [...new Set(asked)].map((scope) => `/data/${name}/${scope}/{}`);
}

/** Whether a described path covers an address: an id in it stands for anything. */
function matches(path: string, address: string): boolean {
  const [ours, theirs] = [address.split('/'), path.split('/')];
  return ours.length === theirs.length && theirs.every((step, i) => step === '{}' || step === ours[i]);
}

function missing(dataset: Dataset, addresses: readonly string[], own: readonly Endpoint[]): Finding[] {
  return addresses
    .filter((address) => !own.some(({ path }) => matches(path, address)))
    .map((address) =>
      finding(dataset, 'endpoint', `GET ${address} is read and not described: check its path and scopes`),
    );
}

function fields(dataset: Dataset, own: readonly Endpoint[]): Finding[] {
  const described = new Map<string, Set<string>>();
  for (const [field, types] of own.flatMap((endpoint) => [...endpoint.fields]))
    described.set(field, new Set([...(described.get(field) ?? []), ...types]));
  if (described.size === 0) return [];
  const names = new Map(
    Object.entries(dataset.fields).flatMap(([field, spec]) =>
      [field, ...(spec.aliases ?? [])].map((name) => [name, spec.kind] as const),
    ),
  );
  const isKnown = (field: string) => names.has(field) || dataset.identity.includes(field) || field === 'experimentId';
  const lacking = [...described].filter(([field]) => !isKnown(field));
  // What is also taken from the request, or from elsewhere in the record, need not be a field of its own.
  const others = Object.entries(dataset.fields).filter(([field, { aliases = [], fallbacks, isAdded }]) => {
    const isElsewhere = field === 'experimentId' || fallbacks !== undefined || isAdded === true;
    return !isElsewhere && [field, ...aliases].every((name) => !described.has(name));
  });
  const unfit = [...described].flatMap(([field, types]) => {
    const kind = names.get(field);
    const not = kind === undefined ? [] : [...types].filter((type) => !FITS[kind].includes(type));
    return kind === undefined || not.length === 0 ? [] : [{ field, kind, types: [...types] }];
  });
  return [
    ...lacking.map(([field, types]) =>
      finding(
        dataset,
        'field',
        `the field ${shown(field)} (${[...types].map(shown).join(' or ') || 'of any type'}) is described: add it to fields`,
      ),
    ),
    ...others.map(([field]) => finding(dataset, 'field', `the field ${field} is not described: check its name`)),
    ...unfit.map(({ field, kind, types }) =>
      finding(
        dataset,
        'type',
        `the field ${shown(field)} is ${kind} here and ${types.map(shown).join(' or ')} in the description: check its kind`,
      ),
    ),
  ];
}

function parameters(dataset: Dataset, own: readonly Endpoint[]): Finding[] {
  const described = new Set(
    own.flatMap((one) => one.parameters.filter(({ isInPath }) => !isInPath).map(({ name }) => name)),
  );
  const options = Object.keys(dataset.options ?? {});
  const lacking = [...described].filter((name) => !COMMON.has(name) && !options.includes(name));
  if (own.length === 0) return [];
  const needed = dataset.read === 'incremental' ? ['startTime', 'sort', 'limit'] : [];
  const others = [...options, ...needed].filter((name) => !described.has(name));
  return [
    ...lacking.map((name) =>
      finding(dataset, 'parameter', `the parameter ${shown(name)} is described: add it to options, if it is of use`),
    ),
    ...others.map((name) =>
      finding(dataset, 'parameter', `the parameter ${name} is sent and not described: check options and read`),
    ),
  ];
}

function pages(dataset: Dataset, own: readonly Endpoint[]): Finding[] {
  const said = own.flatMap((one) =>
    one.parameters.filter(({ name }) => name === 'limit').flatMap(({ maximum }) => maximum ?? []),
  );
  if (said.length === 0) return [];
  const most = Math.min(...said);
  const { pageLimit } = dataset;
  if (most === pageLimit || (pageLimit === undefined && most >= FIRST_PAGE)) return [];
  const now = pageLimit === undefined ? `the first page asks for ${FIRST_PAGE}` : `pageLimit is ${pageLimit}`;
  return [finding(dataset, 'page', `limit may be ${most} at most, and ${now}: set pageLimit to ${most}`)];
}

function finding(dataset: Dataset, kind: Finding['kind'], text: string): Finding {
  return { kind, data: dataset.name, file: fileOf(dataset), text };
}

/** A name of the description, short and on one line. */
function shown(name: string): string {
  return /^[\w./{}$:-]{1,100}$/.test(name) ? name : JSON.stringify(name.slice(0, 60));
}
