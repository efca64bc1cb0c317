import { iso } from '../life.ts';
import { costOf } from './agents.ts';
import type { Entry } from './entry.ts';
import { roomVersions } from './rooms.ts';

export const deployments: Entry = {
  name: 'deployments',
  id: 'id',
  time: 'createdAt',
  keyScopes: ['read:experiments'],
  scopes: [],
  ofExperiment({ experimentId, made, deployment, hasAgents, add }) {
    const owner = { ownerId: 'user_lab', ownerName: 'The lab' };
    const type = hasAgents ? 'agent-only' : 'human';
    const createdAt = iso(made);
    add({ from: made, record: { ...deployment, experimentId, status: 'active', type, ...owner, createdAt } });
  },
};

export const deploymentSessions: Entry = {
  name: 'deployment-sessions',
  id: 'id',
  time: 'createdAt',
  keyScopes: ['read:experiments'],
  scopes: [],
  roomOf: ({ id }) => id,
  ofRoom: (room) => room.add(...roomVersions(room)),
};

/** What the agents of a deployment have cost so far; a deployment without agents has no such record. */
export const agentSpend: Entry = {
  name: 'agent-spend',
  keyScopes: ['read:experiments'],
  scopes: [],
  ofExperiment({ rooms, hasAgents, add }) {
    if (!hasAgents || rooms.length === 0) return;
    const versions = rooms.map(({ zero }, last) => {
      const costs = rooms.slice(0, last + 1).map(({ roomId }) => [roomId, costOf(roomId)] as const);
      const total = costs.reduce((sum, [, cost]) => sum + cost, 0);
      return { from: zero, record: { total, perRoom: Object.fromEntries(costs) } };
    });
    add(...versions);
  },
};
