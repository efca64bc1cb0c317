import { iso, type Person, type SimRecord } from '../life.ts';
import { QUESTIONS } from './components.ts';
import type { Entry, RoomSetting, Stage } from './entry.ts';

const VIDEO = {
  componentType: 'showvideo',
  componentId: 'cmp_video',
  stateId: 'state_video',
  stateName: 'Video',
} as const;

/** Milliseconds between two pulses of the scanner. */
const REPETITION_MS = 2000;

export const events: Entry = {
  name: 'events',
  id: 'id',
  isNumbered: true,
  time: 'timestamp',
  keyScopes: ['read:events'],
  scopes: ['experiment', 'room', 'participant'],
  filters: ['category'],
  ofRoom(room) {
    for (const person of room.people) {
      const write = writer(room, person);
      beforeMatching(room, write);
      watching(room, write);
      answering(room, write);
    }
    if (room.index % 3 === 0) scanning(room, writer(room, undefined));
  },
};

type Write = (onset: number, eventType: string, category: string, more: SimRecord) => void;

function writer(
  { experimentId, roomId, deployment, zero, random, emit }: Stage<RoomSetting>,
  person: Person | undefined,
): Write {
  return (onset, eventType, category, more) =>
    emit(zero + onset, {
      id: `evt_${random.id(16)}`,
      experimentId,
      ...(category === 'pre_experiment' ? {} : { roomId }),
      deploymentId: deployment.id,
      ...(person === undefined ? {} : { participantId: person.id, participantRole: person.role }),
      timestamp: iso(zero + onset),
      onset,
      eventType,
      category,
      ...more,
    });
}

/** Consent is requested before participants have a room; the rest happens in a session that becomes one. */
function beforeMatching({ roomId, random }: Stage<RoomSetting>, write: Write): void {
  write(-89_000 + random.int(0, 9000), 'consent.viewed', 'pre_experiment', { content: 'v2' });
  write(-80_000 + random.int(0, 9000), 'consent.given', 'pre_experiment', {
    sessionId: roomId,
    content: 'v2 – ja',
    response: { value: true, responseTime: random.int(900, 20_000) },
  });
  write(-40_000 + random.int(0, 9000), 'instructions.completed', 'pre_experiment', {
    sessionId: roomId,
    duration: random.int(4000, 30_000),
  });
}

function watching({ options, random }: Stage<RoomSetting>, write: Write): void {
  write(0, 'component.started', 'component', VIDEO);
  for (let at = 10_000; at < options.videoSeconds * 1000; at += random.int(8000, 25_000)) {
    const eventType = random.pick(['media.pause', 'media.play', 'focus.lost', 'focus.gained']);
    write(at, eventType, 'component', { ...VIDEO, content: null });
  }
}

/** Answers are numbers, texts, several choices, or null. */
function answering({ options, random }: Stage<RoomSetting>, write: Write): void {
  const after = options.videoSeconds * 1000;
  const questions = { stateId: 'state_questions', stateName: 'Questions' };
  for (const [i, question] of QUESTIONS.entries()) {
    const value = random.int(1, 7);
    write(after + 5000 * (i + 1), 'component.response', 'component', {
      componentType: 'likertscale',
      componentId: `cmp_likert_${i}`,
      ...questions,
      content: question,
      response: { value, responseTime: random.int(700, 9000) },
      duration: random.int(1000, 9000),
    });
  }
  const asked: readonly (readonly [questionType: string, questionText: string, answer: unknown])[] = [
    ['number', 'How old are you?', random.int(18, 80)],
    ['text', 'What did you notice?', random.pick(['nichts', '音楽がよかった', ''])],
    ['multiple', 'Which do you know?', random.pick([['tea', 'coffee'], ['tea'], []])],
    ['single', 'Once more?', random.chance(0.3) ? null : random.pick(['yes', 'no'])],
  ];
  for (const [i, [questionType, questionText, answer]] of asked.entries()) {
    const question = { questionId: `q_${i + 1}`, questionText, questionType, answer };
    write(after + 30_000 + 2000 * i, 'questionnaire.response', i < 2 ? 'post_experiment' : 'questionnaire', {
      componentType: 'questionnaire',
      ...questions,
      value: { ...question, pageIndex: i < 2 ? 0 : 1, pageTitle: 'About you', responseTime: random.int(700, 9000) },
    });
  }
}

/** Events of devices, which belong to no participant. */
function scanning({ options }: Stage<RoomSetting>, write: Write): void {
  write(0, 'trigger', 'scanner', { data: { device: 'ttl', code: 5 } });
  for (let at = 0, pulse = 1; at < options.videoSeconds * 1000; at += REPETITION_MS, pulse++)
    write(at, 'scanner_pulse', 'scanner', { data: { pulse, repetitionMs: REPETITION_MS } });
}
