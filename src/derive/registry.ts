import { answers } from './answers.ts';
import type { DerivedTable } from './define.ts';
import { design } from './design.ts';
import { values } from './labels.ts';
import { people } from './people.ts';
import { stages } from './stages.ts';
import { variableValues } from './variable-values.ts';

/** Every derived table. */
export const DERIVED: readonly DerivedTable[] = [people, answers, variableValues, stages, design, values];
