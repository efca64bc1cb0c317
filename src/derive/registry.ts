import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { queryValues } from '../shared/sqlite.ts';
import { answers } from './answers.ts';
import type { DerivedTable } from './define.ts';
import { design } from './design.ts';
import { values } from './labels.ts';
import { people } from './people.ts';
import { GRID, gridInterval, ratingsGrid } from './ratings-grid.ts';
import { stages } from './stages.ts';
import { variableValues } from './variable-values.ts';

/** Every derived table that each file has. */
const ALWAYS: readonly DerivedTable[] = [people, answers, variableValues, stages, design, values];

/**
 * The derived tables that a file is to have.
 * @param grid between two instants of `ratings_grid`, in ms; undefined: there is no such table.
 */
export function derivedWith(grid: number | undefined): readonly DerivedTable[] {
  return grid === undefined ? ALWAYS : [...ALWAYS, ratingsGrid(grid)];
}

/** The derived tables that a file has. */
export function derivedIn(db: Database): readonly DerivedTable[] {
  const sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?";
  return derivedWith(gridInterval(queryValues(db, sql, z.string()).get(GRID)));
}
