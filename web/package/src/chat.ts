// Chat in the shape of the OpenAI API: whole completions, or chunks of a stream.

import type { Link, Listener } from './link.js';
import { chatRequest } from './request.js';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from './types.js';

/** `hala.chat.completions`. */
export class Completions {
  readonly #link: Link;
  readonly #model: string;

  constructor(link: Link, model: string) {
    this.#link = link;
    this.#model = model;
  }

  /** Answers a conversation: an object, or with `stream: true` an async iterable of chunks. Leaving the iteration stops it. */
  create(request: ChatRequest & { stream: true }): Promise<AsyncIterable<ChatCompletionChunk>>;
  create(request: ChatRequest & { stream?: false }): Promise<ChatCompletion>;
  create(request: ChatRequest): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>>;
  async create(request: ChatRequest): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> {
    const asked = { ...chatRequest(request), model: this.#model };
    return request.stream ? this.#opened(asked, request.signal) : this.#ask<ChatCompletion>(asked, { signal: request.signal });
  }

  /** The stream, once its first piece is there: a request that the model refuses is rejected before, as a server's answer would be. */
  async #opened(asked: object, given: AbortSignal | undefined): Promise<AsyncIterable<ChatCompletionChunk>> {
    const stop = new AbortController();
    const signal = given ? AbortSignal.any([given, stop.signal]) : stop.signal;
    const chunks = new Chunks();
    const onPiece = (json: string) => chunks.add(JSON.parse(json) as ChatCompletionChunk);
    const done = this.#ask(asked, { signal, onPiece }).then(() => chunks.end(), (error: unknown) => chunks.fail(error));
    await chunks.opened();
    return (async function* () {
      try {
        yield* chunks;
      } finally {
        stop.abort();
        await done;
      }
    })();
  }

  #ask<T>(asked: object, listener: Listener): Promise<T> {
    return this.#link.ask<T>({ kind: 'chat', request: JSON.stringify(asked) }, listener);
  }
}

/** Chunks between who makes them and who takes them. */
class Chunks {
  readonly #waiting: ChatCompletionChunk[] = [];
  #end: { error?: unknown } | undefined;
  #wake: () => void = () => undefined;

  add(chunk: ChatCompletionChunk): void {
    this.#waiting.push(chunk);
    this.#wake();
  }

  end(): void {
    this.#end = {};
    this.#wake();
  }

  fail(error: unknown): void {
    this.#end = { error };
    this.#wake();
  }

  /** Waits for the first chunk or the end; throws where the replies failed before they began. */
  async opened(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#end) await this.#more();
    if (this.#waiting.length === 0) this.#throw();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk> {
    for (;;) {
      const chunk = this.#waiting.shift();
      if (chunk) {
        yield chunk;
        continue;
      }
      this.#throw();
      if (this.#end) return;
      await this.#more();
    }
  }

  #throw(): void {
    if (this.#end && 'error' in this.#end) throw this.#end.error;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => { this.#wake = resolve; });
  }
}
