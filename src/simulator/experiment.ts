import type { Catalogue, ExperimentSetting, RoomSetting, Stage } from './catalogue/entry.ts';
import type { Add, WorldOptions } from './life.ts';
import { createRandom, seedOf, type Random } from './random.ts';

const TITLES = [
  ['Gemeinsam schauen', 'Ein Film, zwei Menschen: wie ähnlich fühlen wir? 🎬'],
  ['Trust game with agents', 'Do people trust an AI partner as they trust a person?'],
  ['Émotions et regard', 'Where do we look while a story moves us?'],
] as const;
const NAMES = ['Ana', 'Björn', 'Chloé', 'Đức', 'Eva', 'Fatima', 'Γιώργος', 'Hana 花', 'Ismaïl', 'Jörg'] as const;

/** The time before the experiment's clock starts. */
const LOBBY_MS = 90_000;
const WEEK_MS = 7 * 86_400_000;

/**
 * Makes experiments with a deployment each and rooms that open one after the other; returns their ids. Each data type
 * has a random stream of its own, so that adding one changes nothing in the others.
 */
export function generateExperiments(options: WorldOptions, catalogue: Catalogue, add: Add): string[] {
  const structure = createRandom(seedOf(`${options.seed} structure`));
  const settings = Array.from({ length: options.experiments }, (_, i) => experimentSetting(i, options, structure));
  for (const entry of catalogue.values()) {
    const random = createRandom(seedOf(`${options.seed} ${entry.name}`));
    const stage = <Setting extends { experimentId: string }>(setting: Setting): Stage<Setting> => ({
      ...setting,
      random,
      add: (...versions) => add(entry.name, setting.experimentId, ...versions),
      emit: (happened, record) => add(entry.name, setting.experimentId, { from: happened + lateness(random), record }),
    });
    for (const setting of settings) {
      entry.ofExperiment?.(stage(setting));
      for (const room of setting.rooms) entry.ofRoom?.(stage(room));
    }
  }
  return settings.map(({ experimentId }) => experimentId);
}

function experimentSetting(index: number, options: WorldOptions, random: Random): ExperimentSetting {
  const experimentId = `exp_${random.id(12)}`;
  const [name, description] = TITLES[index % TITLES.length] ?? TITLES[0];
  const deployment = { id: `dep_${random.id(10)}`, name: `${name} – batch 1` };
  const shared = { experimentId, deployment, hasAgents: index % 3 === 1, options };
  const rooms = Array.from({ length: options.roomsPerExperiment }, (_, room) => roomSetting(room, shared, random));
  return { ...shared, index, name, description, made: options.start - WEEK_MS, rooms };
}

function roomSetting(
  index: number,
  shared: Pick<RoomSetting, 'experimentId' | 'deployment' | 'hasAgents' | 'options'>,
  random: Random,
): RoomSetting {
  const { options, hasAgents } = shared;
  const roomId = `room_${random.id(12)}`;
  const start = options.start + index * options.roomEveryMs;
  const zero = start + LOBBY_MS;
  const last = options.participantsPerRoom - 1;
  const people = Array.from({ length: options.participantsPerRoom }, (_, i) => ({
    id: `user_${random.id(10)}`,
    name: NAMES[(index + i) % NAMES.length] ?? NAMES[0],
    role: i === 0 ? 'host' : 'viewer',
    isAgent: hasAgents && i === last,
  }));
  return { ...shared, index, roomId, start, zero, end: zero + options.videoSeconds * 1000 + 60_000, people };
}

/** Browsers send in batches: most records arrive within seconds, a few after a reconnect. */
function lateness(random: Random): number {
  return random.chance(0.01) ? random.int(30_000, 300_000) : random.int(200, 4000);
}
