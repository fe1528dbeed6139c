// Bytes as text.

/** Bytes in hexadecimal, as SHA-256 sums are written. */
export function hexadecimal(bytes: ArrayBuffer | Uint8Array): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
