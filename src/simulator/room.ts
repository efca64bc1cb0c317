import { generateViewing } from './viewing.ts';
import type { Random } from './random.ts';
import { iso, type Emit, type Person, type RoomPlan, type SimRecord } from './life.ts';
import { MINUTE_MS } from '../shared/time.ts';

const NAMES = ['Ana', 'Björn', 'Chloé', 'Đức', 'Eva', 'Fatima', 'Γιώργος', 'Hana 花', 'Ismaïl', 'Jörg'] as const;
const LINES = [
  'did you see that? 😮',
  'haha',
  'I think the second one was better',
  'ja, genau!',
  'c’est triste…',
  '我也这么想',
  'same here',
  '',
] as const;
const CODES = ['SUCCESS', 'SUCCESS', 'SUCCESS', 'TIMEOUT', 'NOCONSENT', 'ABANDONED'] as const;

/** What people do before the experiment's clock starts. */
const LOBBY_MS = 90_000;

/** One room from its opening to its end: people join, consent, watch, rate, chat and answer. */
export function generateRoom(plan: RoomPlan): void {
  const { experimentId, deployment, start, options, random, add } = plan;
  const roomId = `room_${random.id(12)}`;
  const zero = start + LOBBY_MS;
  const end = zero + options.videoSeconds * 1000 + MINUTE_MS;
  const people: Person[] = Array.from({ length: options.participantsPerRoom }, (_, i) => ({
    id: `user_${random.id(10)}`,
    name: NAMES[(plan.index + i) % NAMES.length] ?? NAMES[0],
    role: i === 0 ? 'host' : 'viewer',
  }));
  addRoom(plan, roomId, zero, end, people.length);
  const emit = (dataType: string, happened: number, record: SimRecord) =>
    add(dataType, experimentId, { from: happened + lateness(random), record });

  for (const person of people) {
    addPerson(plan, roomId, person, end);
    addEvents(plan, roomId, person, zero, emit);
    generateViewing({ ...plan, roomId, person, zero, emit });
  }
  addChat(plan, roomId, people, zero, emit);
  addVariables(plan, roomId, people, zero, emit);
  if (plan.hasAgents) addAgents(plan, roomId, people, zero, end, emit);
  for (const person of people.slice(0, 2)) addRecording(plan, roomId, person, zero, end);
  emit('videochat', start + 5000, {
    experimentId,
    roomId,
    participantId: people[0]?.id,
    timestamp: iso(start + 5000),
    onset: -85_000,
    eventType: 'participant_connected',
    session: { server: 'wss://rtc.example.org', codec: null, room: `${deployment.id}:${roomId}` },
  });
}

/** Browsers send in batches: most records arrive within seconds, a few after a reconnect. */
function lateness(random: Random): number {
  return random.chance(0.01) ? random.int(30_000, 300_000) : random.int(200, 4000);
}

function addRoom(
  { experimentId, deployment, start, add }: RoomPlan,
  roomId: string,
  zero: number,
  end: number,
  participantCount: number,
): void {
  const base = { experimentId, deploymentId: deployment.id, deploymentName: deployment.name, createdAt: iso(start) };
  const versions = [
    { from: start, record: { id: roomId, ...base, status: 'waiting', participantCount: 0 } },
    { from: zero, record: { id: roomId, ...base, status: 'active', participantCount, startedAt: iso(zero) } },
    {
      from: end,
      record: { id: roomId, ...base, status: 'completed', participantCount, startedAt: iso(zero), endedAt: iso(end) },
    },
  ];
  add('rooms', experimentId, ...versions);
  add('deployment-sessions', experimentId, ...versions);
}

function addPerson({ experimentId, start, add, random }: RoomPlan, roomId: string, person: Person, end: number): void {
  const joined = start + random.int(1000, MINUTE_MS);
  const base = {
    id: person.id,
    roomId,
    role: person.role,
    email: random.chance(0.5) ? `${person.id}@example.org` : null,
    joinedAt: iso(joined),
  };
  add(
    'participants',
    experimentId,
    { from: joined, record: { ...base, status: 'active', completionCode: 'IN_PROGRESS', completedAt: null } },
    { from: end, record: { ...base, status: 'completed', completionCode: random.pick(CODES), completedAt: iso(end) } },
  );
}

function addEvents(
  { experimentId, random, options }: RoomPlan,
  roomId: string,
  person: Person,
  zero: number,
  emit: Emit,
): void {
  const event = (at: number, eventType: string, category: string, more: SimRecord) =>
    emit('events', zero + at, {
      id: `evt_${random.id(16)}`,
      experimentId,
      ...(category === 'pre_experiment' ? { sessionId: roomId } : { roomId }),
      participantId: person.id,
      participantRole: person.role,
      timestamp: iso(zero + at),
      onset: at,
      eventType,
      category,
      ...more,
    });
  event(-80_000 + random.int(0, 9000), 'consent.given', 'pre_experiment', {
    content: 'v2 – ja',
    response: { value: true, responseTime: random.int(900, 20_000) },
  });
  event(-40_000 + random.int(0, 9000), 'instructions.completed', 'pre_experiment', {
    duration: random.int(4000, 30_000),
  });
  event(0, 'component.started', 'component', {
    componentType: 'showvideo',
    componentId: 'cmp_video',
    stateId: 'state_video',
    stateName: 'Video',
  });
  for (let at = 10_000; at < options.videoSeconds * 1000; at += random.int(8000, 25_000)) {
    event(at, random.pick(['media.pause', 'media.play', 'focus.lost', 'focus.gained']), 'component', {
      componentType: 'showvideo',
      componentId: 'cmp_video',
      stateId: 'state_video',
      stateName: 'Video',
      content: null,
    });
  }
  const after = options.videoSeconds * 1000;
  for (const [i, question] of ['liked', 'felt close', 'wäre gern geblieben'].entries()) {
    event(after + 5000 * (i + 1), 'questionnaire.answer', 'questionnaire', {
      componentType: 'likertscale',
      componentId: `cmp_likert_${i}`,
      stateId: 'state_questions',
      stateName: 'Questions',
      content: question,
      response: { value: random.int(1, 7), responseTime: random.int(700, 9000) },
      duration: random.int(1000, 9000),
    });
    emit('components', zero + after + 5000 * (i + 1), {
      experimentId,
      roomId,
      participantId: person.id,
      componentId: `cmp_likert_${i}`,
      componentType: 'likertscale',
      stateId: 'state_questions',
      timestamp: iso(zero + after + 5000 * (i + 1)),
      onset: after + 5000 * (i + 1),
      completed: random.chance(0.95),
      config: { scalePoints: 7, question },
      variableSnapshot: { condition: 'together', points: i },
    });
  }
}

function addChat(
  { experimentId, random, options }: RoomPlan,
  roomId: string,
  people: readonly Person[],
  zero: number,
  emit: Emit,
): void {
  for (let at = random.int(2000, 20_000); at < options.videoSeconds * 1000; at += random.int(4000, 30_000)) {
    const sender = people[random.int(0, people.length - 1)];
    emit('chat', zero + at, {
      messageId: `msg_${random.id(14)}`,
      experimentId,
      roomId,
      senderId: sender?.id,
      senderName: sender?.name,
      content: random.pick(LINES),
      timestamp: iso(zero + at),
      onset: at,
      recipientIds: people.filter((person) => person !== sender).map(({ id }) => id),
      messageType: 'text',
    });
  }
}

function addVariables(
  { experimentId, random }: RoomPlan,
  roomId: string,
  people: readonly Person[],
  zero: number,
  emit: Emit,
): void {
  const write = (at: number, variable: string, value: unknown, source: string) =>
    emit('variables', zero + at, {
      experimentId,
      roomId,
      participantId: source === 'seed' ? null : people[0]?.id,
      variable,
      value,
      source,
      persisted: true,
      timestamp: iso(zero + at),
      onset: at,
    });
  write(0, 'condition', random.pick(['together', 'alone']), 'seed');
  write(0, 'points', 0, 'seed');
  write(30_000, 'points', random.int(1, 10), 'component');
  write(45_000, 'choice', { kind: 'offer', split: [7, 3] }, 'component');
}

function addAgents(
  plan: RoomPlan,
  roomId: string,
  people: readonly Person[],
  zero: number,
  end: number,
  emit: Emit,
): void {
  const { experimentId, random } = plan;
  const agent = people.at(-1)?.id ?? 'agent';
  for (let seq = 0; seq < 12; seq++) {
    const at = seq * 4000;
    emit('agent-decisions', zero + at, {
      id: `${agent}_${seq}`,
      _type: 'decision',
      experimentId,
      roomId,
      participantId: agent,
      seq,
      stateId: 'state_questions',
      stateName: 'Questions',
      timestamp: iso(zero + at),
      turnKind: 'submit',
      action: 'answer',
      value: seq % 2 === 0 ? random.int(1, 7) : 'pass',
      model: 'small-model-1',
      provider: 'custom',
      latencyMs: random.int(300, 2500),
      inputTokens: random.int(200, 2000),
      outputTokens: random.int(5, 90),
      prompt: 'You are taking part in a trust game.',
      reasoning: 'They were fair before.',
      chain: [{ step: 1, thought: 'recall' }],
    });
  }
  emit('agent-runs', zero, {
    id: `run_${random.id(8)}`,
    experimentId,
    roomId,
    participantId: agent,
    model: 'small-model-1',
    provider: 'custom',
    seed: random.int(1, 1e6),
    startedAt: iso(zero),
    endedAt: iso(end),
    totals: { decisions: 12, inputTokens: 9000, outputTokens: 400 },
    totalCostUsd: random.int(1, 900) / 10_000,
    roomStatus: 'completed',
    orphaned: false,
  });
}

function addRecording(
  { experimentId, random, add }: RoomPlan,
  roomId: string,
  person: Person,
  zero: number,
  end: number,
): void {
  const egressId = `EG_${random.id(12)}`;
  add('recordings', experimentId, {
    from: end + 20_000,
    record: {
      recordingId: egressId,
      egressId,
      experimentId,
      roomId,
      participantId: person.id,
      participantName: person.name,
      startTime: iso(zero),
      endTime: iso(end),
      duration: (end - zero) / 1000,
      videoOffset: random.int(-300, 300),
      downloadUrl: `https://media.example.org/${roomId}/${egressId}.mp4`,
      downloadPath: `data/recordings/download/${roomId}/${egressId}`,
      fileSize: random.int(1e6, 9e7),
      format: 'mp4',
      resolution: '1280x720',
      status: 'complete',
      metadata: { type: 'video', recordingType: 'participant', roomName: roomId, experimentId },
    },
  });
}
