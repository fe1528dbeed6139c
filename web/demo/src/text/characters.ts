// What a text is as people see it: without marks that only steer direction, its lines ended in one way, its characters counted.

const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text without marks of direction, which a model would read as text, and with the ends of lines that text fields have. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '').replace(/\r\n?/g, '\n');
}

/** Characters of a text: those beyond U+FFFF are two units of a string. */
export function n_characters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}
