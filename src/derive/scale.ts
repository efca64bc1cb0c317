import { textOfJson, type JsonObject } from '../shared/json.ts';
import { json, real, text, type ExplainedColumn } from './columns.ts';
import { listIn, numberIn, objectIn, textIn } from './source.ts';

/** What a question is answered on. */
export const SCALE = {
  scale_min: real('Lower end of the scale.', {
    privacy: 'none',
    unit: 'scale units',
    missing: 'There is no scale, or it is not known.',
  }),
  scale_max: real('Upper end of the scale.', {
    privacy: 'none',
    unit: 'scale units',
    missing: 'There is no scale, or it is not known.',
  }),
  label_min: text('The label at the lower end.', { privacy: 'none', missing: 'There is none, or it is not known.' }),
  label_max: text('The label at the upper end.', { privacy: 'none', missing: 'There is none, or it is not known.' }),
  options: json('The choices, as a JSON list, in the order in which they are shown.', {
    privacy: 'none',
    missing: 'There are none, or they are not known.',
  }),
} as const satisfies Readonly<Record<string, ExplainedColumn>>;

export interface Scale {
  readonly scale_min: number | null;
  readonly scale_max: number | null;
  readonly label_min: string | null;
  readonly label_max: string | null;
  readonly options: string | null;
}

/**
 * The scale in the settings of a component or a question, or in a sparse rating. The names are those that published
 * records and HyperStudy's own schema have, and the usual ones of survey programs, as most settings are not documented.
 */
export function scaleIn(settings: JsonObject): Scale {
  const [scale, labels] = [objectIn(settings, 'scale'), objectIn(settings, 'labels')];
  const points = numberIn(settings, 'scalePoints', 'points');
  const options = [...listIn(settings, 'options'), ...listIn(settings, 'choices')];
  return {
    scale_min:
      numberIn(scale, 'min') ?? numberIn(settings, 'scaleMin', 'min', 'minValue') ?? (points === null ? null : 1),
    scale_max: numberIn(scale, 'max') ?? numberIn(settings, 'scaleMax', 'max', 'maxValue') ?? points,
    label_min: textIn(labels, 'min', 'left', 'low') ?? textIn(settings, 'minLabel', 'leftLabel', 'lowLabel'),
    label_max: textIn(labels, 'max', 'right', 'high') ?? textIn(settings, 'maxLabel', 'rightLabel', 'highLabel'),
    options: options.length === 0 ? null : textOfJson(options),
  };
}

/** One scale, and what it lacks from another. */
export function scaleOr(scale: Scale, other: Scale | undefined): Scale {
  const { scale_min, scale_max, label_min, label_max, options } = scale;
  return {
    scale_min: scale_min ?? other?.scale_min ?? null,
    scale_max: scale_max ?? other?.scale_max ?? null,
    label_min: label_min ?? other?.label_min ?? null,
    label_max: label_max ?? other?.label_max ?? null,
    options: options ?? other?.options ?? null,
  };
}

/** The question in the settings of a component. */
export function questionIn(settings: JsonObject): string | null {
  return textIn(settings, 'question', 'questionText', 'prompt', 'label');
}
