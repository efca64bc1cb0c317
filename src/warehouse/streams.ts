import type { Stream } from '../datasets/stream.ts';
import type { SqlValue } from '../datasets/values.ts';
import { quote } from './upsert.ts';

/**
 * The SQL condition that picks a stream's rows out of its table, with its parameters; undefined where the table does
 * not tell which rows the API would give for that scope.
 */
export function rowsOf(stream: Stream): Condition | undefined {
  const scope = scopeCondition(stream);
  if (scope === undefined) return undefined;
  const filters = Object.entries(stream.filter ?? {}).map(([field, value]) => {
    const column = stream.dataset.columns.find((candidate) => candidate.field === field);
    return (
      column && { where: `${quote(column.name)} = ?`, params: [typeof value === 'boolean' ? Number(value) : value] }
    );
  });
  const known = filters.filter((filter) => filter !== undefined);
  if (known.length < filters.length) return undefined;
  return {
    where: [scope, ...known].map(({ where }) => where).join(' AND '),
    params: [scope, ...known].flatMap(({ params }) => params),
  };
}

interface Condition {
  readonly where: string;
  readonly params: readonly SqlValue[];
}

function scopeCondition({ experimentId, dataset, scope }: Stream): Condition | undefined {
  const has = (name: string) => dataset.columns.some((column) => column.name === name);
  const of = (where: string, ...params: string[]) => ({
    where: `experiment_id = ? AND ${where}`,
    params: [experimentId, ...params],
  });
  switch (scope.kind) {
    case 'experiment':
      return { where: 'experiment_id = ?', params: [experimentId] };
    case 'room':
      return has('room_id') ? of('room_id = ?', scope.id) : undefined;
    case 'participant':
      return has('room_id') && has('participant_id')
        ? of('participant_id = ? AND room_id = ?', scope.id, scope.room)
        : undefined;
    case 'deployment':
      if (dataset.name === 'deployment-sessions') return of('deployment_id = ?', scope.id);
      if (!has('room_id')) return undefined;
      return of(
        'room_id IN (SELECT id FROM deployment_sessions s WHERE s.experiment_id = ? AND s.deployment_id = ?)',
        experimentId,
        scope.id,
      );
  }
}
