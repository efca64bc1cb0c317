/** What distinguishes one question to a participant from another. */
interface Given {
  readonly participant_id: string | null;
  readonly kind: string | number | null;
  readonly question_id: string | number | null;
  readonly component_id: string | number | null;
  readonly state_id: string | number | null;
  readonly stimulus_id: string | number | null;
  readonly dimension: string | number | null;
  readonly sample: string | number | null;
}

/**
 * Numbers the answers of each participant to each question; they come in the order in which they were given. Of what
 * names no question it is not known that it was answered again.
 * @param shared the components that ask another question in each state.
 */
export function numbered<One extends Given>(
  given: readonly One[],
  shared: ReadonlySet<string | number | null>,
): (One & { attempt: number; is_last: number })[] {
  const groups = Map.groupBy(given, (one) => {
    const { participant_id, kind, question_id, component_id, stimulus_id, dimension, sample } = one;
    const state = shared.has(component_id) ? one.state_id : null;
    const asked = [participant_id, kind, question_id, component_id, stimulus_id, dimension, sample, state];
    return question_id === null ? one : JSON.stringify(asked);
  });
  const places = new Map(
    [...groups.values()].flatMap((group) =>
      group.map((one, i) => [one, { attempt: i + 1, is_last: Number(i === group.length - 1) }]),
    ),
  );
  return given.flatMap((one) => {
    const place = places.get(one);
    return place === undefined ? [] : [{ ...one, ...place }];
  });
}
