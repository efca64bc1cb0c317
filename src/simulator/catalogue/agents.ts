import { iso } from '../life.ts';
import { seedOf } from '../random.ts';
import type { Entry, RoomSetting } from './entry.ts';

const MODEL = { model: 'small-model-1', provider: 'custom' } as const;
const TURNS = 12;

export const agentDecisions: Entry = {
  name: 'agent-decisions',
  id: 'id',
  time: 'timestamp',
  keyScopes: ['read:events'],
  scopes: ['experiment', 'room'],
  isUnpaged: true,
  ofRoom(room) {
    const { experimentId, roomId, zero, hasAgents, random, emit } = room;
    if (!hasAgents) return;
    const agent = agentOf(room);
    for (let seq = 0; seq < TURNS; seq++) {
      const at = zero + seq * 4000;
      emit(at, {
        id: `${agent}_${seq}`,
        _type: 'decision',
        experimentId,
        roomId,
        participantId: agent,
        seq,
        stateId: 'state_questions',
        stateName: 'Questions',
        timestamp: iso(at),
        turnKind: seq % 2 === 0 ? 'component' : 'chat',
        action: seq % 2 === 0 ? 'respond' : 'send_message',
        value: seq % 2 === 0 ? random.int(1, 7) : 'pass',
        ...MODEL,
        latencyMs: random.int(300, 2500),
        inputTokens: random.int(200, 2000),
        outputTokens: random.int(5, 90),
        costUsd: costOf(roomId) / TURNS,
        gateFired: random.chance(0.2),
        prompt: 'You are taking part in a trust game.',
        reasoning: 'They were fair before.',
        chain: [{ stage: 'decide', output: 'respond' }],
        peerModelSnapshot: { peer_1: { inferredGoal: 'agreement' } },
        predictionUpdate: { predictionError: random.next() },
      });
    }
  },
};

export const agentRuns: Entry = {
  name: 'agent-runs',
  id: 'id',
  time: 'startedAt',
  keyScopes: ['read:events'],
  scopes: ['experiment'],
  isUnpaged: true,
  ofRoom(room) {
    const { experimentId, roomId, zero, end, hasAgents, random, emit } = room;
    if (!hasAgents) return;
    emit(zero, {
      id: agentOf(room),
      experimentId,
      roomId,
      participantId: agentOf(room),
      personaId: 'persona_1',
      personaName: 'Mira',
      ...MODEL,
      seed: random.int(1, 1e6),
      totalInputTokens: random.int(2000, 20_000),
      totalOutputTokens: random.int(60, 900),
      totalCostUsd: costOf(roomId),
      turns: TURNS,
      codeCommitSha: '812fa5e18',
      cognition: { stages: ['decide'] },
      roomStatus: 'completed',
      orphaned: false,
      startedAt: iso(zero),
      endedAt: iso(end),
    });
  },
};

function agentOf({ people }: RoomSetting): string {
  return people.at(-1)?.id ?? 'agent';
}

/** What the agent of a room costs, in US dollars; the same in every data type. */
export function costOf(roomId: string): number {
  return ((seedOf(roomId) >>> 0) % 900) / 10_000;
}
