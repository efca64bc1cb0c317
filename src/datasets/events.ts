import { defineDataset } from './define.ts';
import { EXPERIMENT, ONSET, PARTICIPANT, ROOM_OR_SESSION, TIMESTAMP } from './fields.ts';

export const events = defineDataset({
  name: 'events',
  about: 'What happened in the experiment: consent, components, questionnaires, state changes.',
  keyScopes: ['read:events'],
  scopes: ['experiment', 'room', 'participant', 'deployment'],
  identity: ['id'],
  timeField: 'timestamp',
  read: 'incremental',
  roomless: true,
  // The nearest earlier event in a room.
  queryIndexes: [['roomId', 'onset']],
  options: { category: 'strings' },
  fields: {
    id: { kind: 'text', about: 'The id of the event.', privacy: 'indirect' },
    experimentId: EXPERIMENT,
    roomId: ROOM_OR_SESSION,
    participantId: PARTICIPANT,
    participantRole: {
      kind: 'text',
      about: 'The role of the participant in the experiment.',
      privacy: 'none',
      isCode: true,
    },
    timestamp: TIMESTAMP,
    onset: ONSET,
    eventType: { kind: 'text', about: 'The kind of event.', privacy: 'none', isCode: true },
    category: { kind: 'text', about: 'The group of events it belongs to.', privacy: 'none', isCode: true },
    componentType: {
      kind: 'text',
      about: 'The type of the component that caused it.',
      privacy: 'none',
      isCode: true,
      missing: 'The event has none.',
    },
    componentId: {
      kind: 'text',
      about: 'The component that caused it.',
      privacy: 'none',
      isCode: true,
      missing: 'The event has none.',
    },
    content: {
      kind: 'text',
      about: 'Text that goes with the event.',
      privacy: 'free text',
      missing: 'The event has none.',
    },
    stateId: {
      kind: 'text',
      about: 'The experiment state in which it happened.',
      privacy: 'none',
      isCode: true,
      missing: 'The event has none.',
    },
    stateName: {
      kind: 'text',
      about: 'The name of that state.',
      privacy: 'none',
      isCode: true,
      missing: 'The event has none.',
    },
    duration: {
      kind: 'real',
      about: 'How long it lasted.',
      privacy: 'none',
      unit: 'ms',
      missing: 'The event has none.',
    },
    response: {
      kind: 'json',
      about: 'The answer given, with its value and response time.',
      privacy: 'free text',
      missing: 'The event is not an answer.',
    },
    deploymentId: { kind: 'text', about: 'The deployment in which it happened.', privacy: 'none' },
    value: {
      kind: 'json',
      about: 'What was entered: the question and answer of a questionnaire, or the time of a pause for a rating.',
      privacy: 'free text',
    },
    data: { kind: 'json', about: 'Further data of the event.', privacy: 'free text', missing: 'The event has none.' },
  },
  members: {
    'response.value': { kind: 'any' },
    'response.responseTime': { unit: 'ms', privacy: 'none' },
    'value.answer': { kind: 'any' },
    'value.responseTime': { unit: 'ms', privacy: 'none' },
  },
});
export const eventsTable = events.drizzle;
