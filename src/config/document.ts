import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LineCounter, parseDocument, type Document } from 'yaml';
import { WarehouseError } from '../shared/errors.ts';
import { cleanLine } from '../shared/clean-text.ts';
import { scrub } from '../shared/log.ts';

/** Where to look for a configuration when none is named. */
export const SEARCHED = ['./config.yaml', '/etc/hyperstudy-warehouse/config.yaml'];

/** A mistake in the file, and its line; undefined where no line has it. */
export interface Problem {
  readonly line: number | undefined;
  readonly text: string;
}

/** A configuration file as it was read. */
export interface Written {
  /** What it says, before it is checked. */
  readonly value: unknown;
  /** The line of the innermost part of a path that exists in the file. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
  /** The line of the last key of a path, where the file has that key. */
  lineOfKey(path: readonly PropertyKey[]): number | undefined;
}

/** @throws WarehouseError CONFIG_NOT_FOUND */
export function findConfig(named: string | undefined): string {
  const found = (named === undefined ? SEARCHED : [named]).find((path) => existsSync(path));
  if (found !== undefined) return resolve(found);
  throw new WarehouseError(
    'CONFIG_NOT_FOUND',
    named === undefined
      ? `No configuration found: neither ${SEARCHED.join(' nor ')} exists.`
      : `No configuration found at ${named}.`,
    {
      hint: 'Run `hsw init` to create one, or copy config.example.yaml and edit it.',
    },
  );
}

/** @throws WarehouseError CONFIG_INVALID when it cannot be read or is not a single document of YAML. */
export function readDocument(path: string): Written {
  const lines = new LineCounter();
  const document = parse(path, lines);
  const problems = yamlProblems(document, lines);
  if (problems.length > 0) throw invalid(path, problems);
  const lineOf = (at: readonly PropertyKey[]) => innermostLine(document, lines, at);
  return {
    value: document.toJS() as unknown,
    lineOf,
    lineOfKey: (at) => keyLine(document, lines, at) ?? lineOf(at),
  };
}

/** All mistakes of a file in one error. */
export function invalid(path: string, problems: readonly Problem[]): WarehouseError {
  const list = [
    ...new Set(
      problems.map(({ line, text }) => `  ${path}${line === undefined ? '' : `:${line}`}: ${text}`).map(cleanLine),
    ),
  ];
  // A key may have been written where it does not belong.
  const text = scrub(
    `The configuration has ${list.length === 1 ? 'a mistake' : `${list.length} mistakes`}:\n${list.join('\n')}`,
  );
  return new WarehouseError('CONFIG_INVALID', text, { hint: 'config.example.yaml shows every key with its default.' });
}

function parse(path: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(readFileSync(path, 'utf8'), { lineCounter, prettyErrors: false, uniqueKeys: true });
  } catch (cause) {
    throw new WarehouseError('CONFIG_INVALID', `The configuration ${path} cannot be read.`, {
      hint: 'Check that it is a text file that you can read.',
      cause,
    });
  }
}

function yamlProblems(document: Document.Parsed, lines: LineCounter): Problem[] {
  // An unknown tag is only a warning to the parser, but surely a mistake.
  const problems = [...document.errors, ...document.warnings].map(({ pos, code, message }) => ({
    line: lines.linePos(pos[0]).line,
    text:
      code === 'MULTIPLE_DOCS'
        ? 'a second document starts at ---; the configuration must be a single document'
        : message,
  }));
  if (problems.length > 0) return problems;
  try {
    document.toJS();
    return [];
  } catch (error) {
    return [{ line: undefined, text: error instanceof Error ? error.message : 'is not valid YAML' }];
  }
}

function innermostLine(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      { range?: [number, number, number] | null } | null | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

function keyLine(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  const parent = document.getIn(path.slice(0, -1), true) as
    { items?: { key: { value?: unknown; range?: [number, number, number] } }[] } | undefined;
  const range = parent?.items?.find(({ key }) => key.value === path.at(-1))?.key.range;
  return range === undefined ? undefined : lines.linePos(range[0]).line;
}
