/** What a column or field reveals about a person, and what that means. */
export const PRIVACY = {
  direct: 'it names a person, is an id or an address of theirs, or leads to a recording of them',
  indirect:
    'together with other things it may show who a person is, such as a time, a room or a number that is an answer',
  'free text': 'people wrote it, so it may say anything about anyone',
  none: 'it describes the study or a measurement, not who a person is',
  unknown: 'HyperStudy Warehouse does not know the field: treat it as direct',
} as const;

/** What a column reveals about a person, as `_data_dictionary.privacy` says it. */
export type PrivacyClass = keyof typeof PRIVACY;

/** What a declared field reveals about a person. */
export type DeclaredPrivacy = Exclude<PrivacyClass, 'unknown'>;

/**
 * The class of a column that holds only the values of one form of a field: that a value is a text is no free text, and
 * a number is none either, although it may be an age.
 */
export function privacyOfForm<C extends PrivacyClass>(
  ofField: C,
  form: 'type' | 'number' | 'boolean' | 'text' | 'json',
): C | 'none' | 'indirect' {
  if (form === 'type') return 'none';
  return ofField === 'free text' && (form === 'number' || form === 'boolean') ? 'indirect' : ofField;
}
