// Which way a text reads.

export type Direction = 'rtl' | 'ltr';

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;
const LETTER = /\p{L}/u;

/**
 * The direction of the majority of a text's letters, so that "WebGPU هو معيار جديد" reads right to left. Digits, punctuation
 * and emoji do not count; undefined where there is no letter.
 */
export function directionOf(text: string): Direction | undefined {
  let balance = 0;
  let hasLetter = false;
  for (const character of text) {
    if (!LETTER.test(character)) continue;
    hasLetter = true;
    balance += RIGHT_TO_LEFT.test(character) ? 1 : -1;
  }
  if (!hasLetter) return undefined;
  return balance > 0 ? 'rtl' : 'ltr';
}

/** Marks that only steer direction: a model would read them as text. */
const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text without marks of direction. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '');
}
