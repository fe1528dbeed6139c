// Marks that only steer direction: a model would read them as text.

const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text without marks of direction. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '');
}
