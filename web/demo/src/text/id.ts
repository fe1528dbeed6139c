// Names that no two things have.

/** A random name. `crypto.randomUUID` would do, but is missing on pages without https, where the demo is tried from a phone. */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
