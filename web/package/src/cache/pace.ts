// How fast something comes, over the last seconds.

const WINDOW_MS = 5000;
/** Before so much time has passed, a pace would be a guess. */
const FIRST_MS = 300;

export class Pace {
  readonly #notes: { at: number; done: number }[] = [];

  /** Notes how much is done at a time in milliseconds. */
  note(at: number, done: number): void {
    const last = this.#notes.at(-1);
    if (last && at - last.at < FIRST_MS / 3) last.done = done;
    else this.#notes.push({ at, done });
    while (this.#notes.length > 2 && at - this.#notes[0]!.at > WINDOW_MS) this.#notes.shift();
  }

  /** Units a second; 0 until known. */
  get perSecond(): number {
    const first = this.#notes[0];
    const last = this.#notes.at(-1);
    if (!first || !last || last.at - first.at < FIRST_MS) return 0;
    return ((last.done - first.done) * 1000) / (last.at - first.at);
  }
}
