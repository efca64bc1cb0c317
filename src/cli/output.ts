import Table from 'cli-table3';
import { cleanLine } from '../shared/clean-text.ts';
import { count } from '../shared/count.ts';

/**
 * A table for a terminal or a log file: the first row is the heading.
 * @param isNumber which columns are right-aligned; by default those that hold only numbers.
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  isNumber = heading.map((_, column) => rows.every((row) => typeof row[column] === 'number')),
): string {
  const made = new Table({
    head: [...heading],
    colAligns: isNumber.map((right) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: {
      mid: '',
      'left-mid': '',
      'mid-mid': '',
      'right-mid': '',
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      right: '',
      middle: '  ',
    },
  });
  made.push(...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? count(cell) : cleanLine(cell)))));
  return made.toString();
}
