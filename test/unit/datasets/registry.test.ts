import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DATA_TYPES, DATASETS, datasetNamed } from '../../../src/datasets/registry.ts';

it('every data type that a file of src/datasets declares is in the registry', () => {
  const declared = readdirSync('src/datasets').flatMap((file) => {
    const text = readFileSync(`src/datasets/${file}`, 'utf8');
    return /= defineDataset\(\{\s*name: '([^']+)'/.exec(text)?.[1] ?? [];
  });
  expect(declared.length).toBeGreaterThan(10);
  expect([...DATA_TYPES].sort()).toEqual(declared.sort());
});

it('a data type comes behind those that list the parts by which alone it can be requested', () => {
  const at = (listed: 'rooms' | 'deployments') => DATASETS.findIndex(({ listsParts }) => listsParts === listed);
  DATASETS.forEach(({ scopes }, place) => {
    if (scopes.includes('experiment')) return;
    if (scopes.includes('room')) expect(place).toBeGreaterThan(at('rooms'));
    if (scopes.includes('deployment')) expect(place).toBeGreaterThan(at('deployments'));
  });
  expect(at('rooms')).toBeGreaterThan(-1);
});

it('no two data types have one name or one table, and an unknown name is a mistake of ours', () => {
  expect(new Set(DATA_TYPES).size).toBe(DATA_TYPES.length);
  expect(new Set(DATASETS.map(({ table }) => table)).size).toBe(DATASETS.length);
  expect(() => datasetNamed('heart-rate')).toThrow('there is no data type heart-rate');
});
