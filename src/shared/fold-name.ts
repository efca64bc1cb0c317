/**
 * A name without what people do not see or do not mind: case, the accents of European scripts and how they are encoded,
 * and how many spaces there are. Marks that make another sound, as in Japanese or Hindi, stay.
 */
export function foldName(name: string): string {
  const plain = name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '');
  return plain.normalize('NFC').toLowerCase().trim().replace(/\s+/gu, ' ');
}
