import { defineDataset } from './define.ts';
import { COMPLETION_CODES, ROOM_OR_SESSION } from './fields.ts';

export const participants = defineDataset({
  name: 'participants',
  about: 'Who took part.',
  keyScopes: ['read:participants', 'read:events'],
  scopes: ['experiment', 'room', 'deployment'],
  identity: ['id'],
  timeField: 'joinedAt',
  read: 'snapshot',
  countedBy: 'participantCount',
  roomless: true,
  options: { completionCode: 'strings' },
  fields: {
    id: {
      kind: 'text',
      about: 'The id of the participant.',
      privacy: 'direct',
      isPerson: true,
      alsoAs: 'participant_id',
    },
    roomId: ROOM_OR_SESSION,
    role: { kind: 'text', about: 'The role in the experiment.', privacy: 'none', isCode: true },
    status: { kind: 'text', about: 'State of the participation.', privacy: 'none', isCode: true },
    completionCode: {
      kind: 'text',
      about: 'How the participation ended.',
      privacy: 'none',
      isCode: true,
      values: COMPLETION_CODES,
      missing: 'There is no code.',
    },
    email: {
      kind: 'text',
      about: 'Email address, if one was given.',
      privacy: 'direct',
      sameAnywhere: true,
      missing: 'None was given, or the key may not see it.',
    },
    joinedAt: { kind: 'time', about: 'When the participant joined.', privacy: 'indirect' },
    completedAt: {
      kind: 'time',
      about: 'When the participant finished.',
      privacy: 'indirect',
      missing: 'They have not finished, or the API does not say when.',
    },
    isAgent: { kind: 'boolean', about: 'Whether it is an AI agent.', privacy: 'none' },
    diagnostics: {
      kind: 'json',
      about: "Diagnostics of the participant's browser and connection.",
      privacy: 'direct',
      sameAnywhere: true,
    },
  },
});
export const participantsTable = participants.drizzle;
