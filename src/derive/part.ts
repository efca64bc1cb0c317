/**
 * What is computed together: people in a room or outside of rooms, people wherever they were, or an experiment; as each
 * table says.
 */
export interface Part {
  readonly experiment: string;
  readonly room: string | null;
  /** The participants whose rows it is about. Null: all of the room or the experiment, and what names no one. */
  readonly people: readonly string[] | null;
}
