// What has come of a reply: its thought, with the time that it took, and its answer.

import type { Message } from './conversations.js';

/** What comes of a reply at once, in the words of the API. */
export interface Piece {
  reasoning_content?: string;
  content?: string;
}

/** A reply that grows. */
export class Growing {
  #content = '';
  #thought = '';
  /** When the thought began, and when it went on for the last time. */
  #began: number | undefined;
  #now = 0;

  add({ reasoning_content: thought = '', content = '' }: Piece): void {
    if (thought !== '') {
      this.#began ??= performance.now();
      this.#thought += thought;
    }
    // It ends with the first word of the answer.
    if (this.#content === '') this.#now = performance.now();
    this.#content += content;
  }

  /** Whether neither thought nor answer has come. */
  get isEmpty(): boolean {
    return this.#content === '' && this.#thought === '';
  }

  /** What has come, as its message has it. */
  get part(): Pick<Message, 'content' | 'thought'> {
    if (this.#began === undefined) return { content: this.#content };
    return { content: this.#content, thought: { text: this.#thought, seconds: (this.#now - this.#began) / 1000 } };
  }
}
