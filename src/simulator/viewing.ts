import { iso, type Emit, type Person, type RoomPlan } from './life.ts';

export interface Viewing extends RoomPlan {
  readonly roomId: string;
  readonly person: Person;
  /** When the experiment's clock starts, in ms since 1970 UTC. */
  readonly zero: number;
  readonly emit: Emit;
}

/** One person watching: a rating that wanders with the film, what the player measures, where the eyes go. */
export function generateViewing(viewing: Viewing): void {
  const { experimentId, roomId, person, zero, options, random, emit } = viewing;
  const length = options.videoSeconds * 1000;
  const shared = { experimentId, roomId, participantId: person.id };
  let mood = 50;
  for (let at = random.int(0, 500); at < length; at += random.int(100, 500)) {
    mood = Math.min(100, Math.max(0, mood + random.normal(2 * Math.sin(at / 20_000), 3)));
    const value = Math.round(mood * 10) / 10;
    emit('ratings/continuous', zero + at, {
      ratingId: `rat_${random.id(16)}`,
      ...shared,
      componentId: 'cmp_rating',
      timestamp: iso(zero + at),
      onset: at,
      value,
      normalizedValue: value / 100,
      rawValue: mood,
      scaleMin: 0,
      scaleMax: 100,
    });
  }
  for (let at = 0; at < length; at += 2000) {
    emit('sync', zero + at, {
      metricId: `syn_${random.id(14)}`,
      ...shared,
      timestamp: iso(zero + at),
      onset: at,
      timeDrift: random.normal(0, 25),
      playbackRate: 1,
      syncQuality: Math.min(1, Math.abs(random.normal(0.95, 0.03))),
      latency: random.int(10, 180),
      bufferHealth: random.next() * 30,
    });
  }
  if (viewing.index % 3 === 2) {
    for (let at = 0; at < length; at += 500) {
      emit('eyetracking', zero + at, {
        ...shared,
        timestamp: iso(zero + at),
        onset: at,
        x: random.next(),
        y: random.next(),
        confidence: random.chance(0.9) ? 0.99 : null,
      });
    }
  }
  for (let question = 0; question < 4; question++) {
    const at = length + 2000 * (question + 1);
    const value = random.int(1, 7);
    emit('ratings/sparse', zero + at, {
      ratingId: `spr_${random.id(14)}`,
      ...shared,
      timestamp: iso(zero + at),
      onset: at,
      rawOnset: at + 12,
      clockOffsetApplied: -12,
      value,
      rawValue: value,
      scale: { min: 1, max: 7 },
      labels: { min: 'gar nicht', max: 'sehr' },
      type: 'likert',
      stateId: 'state_questions',
      componentId: 'cmp_sparse',
      stimulusId: `stim_${question}`,
      stimulusTime: null,
      responseTime: random.int(300, 4000),
      confidence: random.chance(0.3) ? null : random.next(),
      metadata: {
        question: `How much? (${question})`,
        dimension: 'valence',
        componentType: 'sparserating',
        sampleIndex: question,
      },
      ratingEndOnset: at + 900,
    });
  }
}
