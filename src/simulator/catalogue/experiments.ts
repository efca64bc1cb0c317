import { iso } from '../life.ts';
import type { Entry } from './entry.ts';

export const experiments: Entry = {
  name: 'experiments',
  id: 'id',
  time: 'createdAt',
  keyScopes: ['read:experiments'],
  scopes: [],
  ofExperiment({ experimentId, name, description, made, add }) {
    const times = { createdAt: iso(made), updatedAt: iso(made) };
    const counts = { roomCount: 0, participantCount: 0 };
    add({
      from: made,
      record: { id: experimentId, name, description, ownerEmail: 'lab@example.edu', ...counts, ...times },
    });
  },
};

export const experimentConfigs: Entry = {
  name: 'experiment-configs',
  keyScopes: ['read:experiments'],
  scopes: [],
  ofExperiment({ name, description, made, hasAgents, options, add }) {
    const state = (id: string, title: string, order: number, component: [string, string, object]) => {
      const [componentId, type, config] = component;
      return { id, name: title, order, focusComponent: { id: componentId, type, config } };
    };
    const record = {
      name,
      description,
      runtime: hasAgents ? 'v2' : null,
      states: [
        state('state_welcome', 'Welcome', 0, ['cmp_text', 'showtext', { text: 'Willkommen — välkommen — 歓迎' }]),
        state('state_video', 'Video', 1, [
          'cmp_video',
          'showvideo',
          { videoId: 'video_story', durationMs: options.videoSeconds * 1000 },
        ]),
        state('state_questions', 'Questions', 2, ['cmp_likert', 'likertscale', { scalePoints: 7 }]),
      ],
      roles: { viewer: { name: 'Viewer', participantCount: options.participantsPerRoom } },
      variables: { condition: 'together', points: 0 },
    };
    add({ from: made, record });
  },
};
