// What there is to say of a sentence's translation, as kinds to be put into words.

import type { TranslatedSegment } from 'hala-web';

/** A sentence that stands as it is in the source, one whose translation should be looked at, one in a language that is not known here. */
export type Remark =
  | { kind: 'copied'; reason: Exclude<NonNullable<TranslatedSegment['copied']>, 'no-letters'> }
  | { kind: 'retried' }
  | { kind: 'short'; reason: 'repeated' | 'limit' }
  | { kind: 'foreign'; language: string };

/** Kinds in the order in which a summary names them. */
export const KINDS = ['copied', 'retried', 'short', 'foreign'] as const;

/** The remarks on a sentence. That a number stands as it is, nobody need be told. */
export function remarksOn({ copied, looped, truncated, other_language }: TranslatedSegment): Remark[] {
  const remarks: Remark[] = [];
  if (copied && copied !== 'no-letters') remarks.push({ kind: 'copied', reason: copied });
  if (looped === 'retried') remarks.push({ kind: 'retried' });
  if (looped === 'cut') remarks.push({ kind: 'short', reason: 'repeated' });
  if (truncated) remarks.push({ kind: 'short', reason: 'limit' });
  if (other_language) remarks.push({ kind: 'foreign', language: other_language });
  return remarks;
}

/** Whether a sentence's translation may be wrong or incomplete, where others are right to stand as they do. */
export function isDoubtful(remarks: readonly Remark[]): boolean {
  return remarks.some((remark) => remark.kind !== 'copied' || remark.reason === 'too-long' || remark.reason === 'refused');
}
