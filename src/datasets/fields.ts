import type { FieldSpec } from './define.ts';

/** The unit of a number of which the API does not say it. */
export const AS_SENT = 'as the API sends it';

/** Fields that many data types share. */
export const EXPERIMENT: FieldSpec = { kind: 'text', about: 'The experiment the record belongs to.', privacy: 'none' };
export const ROOM: FieldSpec = {
  kind: 'text',
  about: 'The room (session) the record belongs to.',
  privacy: 'indirect',
  missing: 'The record names none, as before a room is assigned.',
};
export const ROOM_OR_SESSION: FieldSpec = { ...ROOM, aliases: ['sessionId'] };
export const PARTICIPANT: FieldSpec = {
  kind: 'text',
  about: 'The participant who did it.',
  privacy: 'direct',
  isPerson: true,
  missing: 'It concerns no single participant.',
};
export const TIMESTAMP: FieldSpec = {
  kind: 'time',
  about: 'When it happened, by the clock that the API reports (not when the server received it).',
  privacy: 'indirect',
};
export const ONSET: FieldSpec = {
  kind: 'real',
  about: 'When it happened, counted from the start of the experiment; negative before it.',
  privacy: 'none',
  unit: 'ms',
};

/** How a participation may have ended. */
export const COMPLETION_CODES = {
  SUCCESS: 'finished',
  COMPLETED_NO_CODE: 'finished; there was no code to give',
  IN_PROGRESS: 'still taking part',
  TIMEOUT: 'waited or answered too long',
  TECHNICAL: 'a technical problem',
  NOCONSENT: 'did not consent',
  ABANDONED: 'left',
} as const;
