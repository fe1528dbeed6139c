// Gathers what comes over the line until there is a piece of it.

/** What a piece holds at most: large enough to be quick, small enough to be held in memory and to be fetched again. */
const PIECE_BYTES = 32 << 20;

export class PieceBuffer {
  /** Grows, because most files are smaller than a piece. */
  #bytes = new Uint8Array(1 << 20);
  length = 0;

  get isFull(): boolean {
    return this.length === PIECE_BYTES;
  }

  /** Takes what there is room for, and gives the rest back. */
  fill(chunk: Uint8Array): Uint8Array {
    const n = Math.min(chunk.length, PIECE_BYTES - this.length);
    if (this.length + n > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(PIECE_BYTES, Math.max(2 * this.#bytes.length, this.length + n)));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk.subarray(0, n), this.length);
    this.length += n;
    return chunk.subarray(n);
  }

  /** A copy of what was gathered; begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.length);
    this.length = 0;
    return bytes;
  }
}
