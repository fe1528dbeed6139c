// Chat in the shape of the OpenAI API: whole completions, or chunks of a stream.

import { HalaError } from './errors.js';
import { aborted, type Link } from './link.js';
import { chatRequest, randomHex } from './request.js';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest, Timings, TokenLogprob, Usage } from './types.js';
import type { ChatPiece, ChatReply, Costs, FinishReason } from './wire.js';

type Choices = ChatCompletion['choices'];

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
    const asked = chatRequest(request);
    const head = { id: `chatcmpl-${randomHex(16)}`, created: Math.floor(Date.now() / 1000), model: this.#model };
    if (!request.stream) return this.#whole(request, asked, head);
    return this.#opened(request, asked, head);
  }

  async #whole(request: ChatRequest, asked: object, head: Head): Promise<ChatCompletion> {
    const logprobs: TokenLogprob[][] = [];
    const replies = await this.#ask(asked, request.signal, ({ index, logprobs: of }) => {
      if (of) (logprobs[index] ??= []).push(of);
    });
    const choices = replies.choices.map(({ text, finish }, index) => ({
      index,
      message: { role: 'assistant' as const, content: text, refusal: null },
      logprobs: request.logprobs ? { content: logprobs[index] ?? [], refusal: null } : null,
      finish_reason: finished(finish, request.signal),
    }));
    // There is one at least.
    return { ...head, object: 'chat.completion', choices: choices as unknown as Choices, usage: usage(replies), timings: timings(replies, choices.length) };
  }

  /** The stream, once its first piece is there: a request that the model refuses is rejected before, as a server's answer would be. */
  async #opened(request: ChatRequest, asked: object, head: Head): Promise<AsyncIterable<ChatCompletionChunk>> {
    const stop = new AbortController();
    const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal;
    const pieces = new Pieces();
    const done = this.#ask(asked, signal, (piece) => pieces.add(piece)).then((replies) => pieces.end(replies), (error: unknown) => pieces.fail(error));
    await pieces.opened();
    const chunks = streamed(request, head, signal, pieces);
    const end = async () => {
      stop.abort();
      await done;
    };
    return (async function* () {
      try {
        yield* chunks;
      } finally {
        await end();
      }
    })();
  }

  #ask(asked: object, signal: AbortSignal | undefined, onPiece: (piece: ChatPiece) => void): Promise<ChatReply> {
    const listener = { signal, onPiece: (json: string) => onPiece(JSON.parse(json) as ChatPiece) };
    return this.#link.ask<ChatReply>({ kind: 'chat', request: JSON.stringify(asked) }, listener);
  }
}

/** Pieces of replies between who makes them and who takes them. */
class Pieces {
  readonly #waiting: ChatPiece[] = [];
  #end: { replies: ChatReply } | { error: unknown } | undefined;
  #wake: () => void = () => undefined;

  add(piece: ChatPiece): void {
    this.#waiting.push(piece);
    this.#wake();
  }

  end(replies: ChatReply): void {
    this.#end = { replies };
    this.#wake();
  }

  fail(error: unknown): void {
    this.#end = { error };
    this.#wake();
  }

  /** Waits for the first piece or the end; throws where the reply failed before it began. */
  async opened(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#end) await this.#more();
    if (this.#waiting.length === 0 && this.#end && 'error' in this.#end) throw this.#end.error;
  }

  /** The next piece, or how the replies ended. */
  async next(): Promise<ChatPiece | { replies: ChatReply }> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece) return piece;
      if (this.#end && 'error' in this.#end) throw this.#end.error;
      if (this.#end) return this.#end;
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => { this.#wake = resolve; });
  }
}

async function* streamed(request: ChatRequest, head: Head, signal: AbortSignal, pieces: Pieces): AsyncGenerator<ChatCompletionChunk> {
  const wantsUsage = request.stream_options?.include_usage === true;
  const chunk = (index: number, part: Partial<ChatCompletionChunk['choices'][number]>): ChatCompletionChunk => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index, delta: {}, logprobs: null, finish_reason: null, ...part }],
    ...(wantsUsage ? { usage: null } : {}),
  });
  const left = new Set(Array(request.n ?? 1).keys());
  for (const index of left) yield chunk(index, { delta: { role: 'assistant', content: '' } });
  for (;;) {
    const next = await pieces.next();
    if ('replies' in next) {
      const { replies } = next;
      const spent = timings(replies, replies.choices.length);
      // One at least, since the last of them ends with the replies: times come with it.
      for (const index of left) yield { ...chunk(index, { finish_reason: finished(replies.choices[index]!.finish, signal) }), timings: spent };
      if (wantsUsage) yield { ...chunk(0, {}), choices: [], usage: usage(replies), timings: spent };
      return;
    }
    const { index, text, logprobs, finish } = next;
    if (text !== '' || logprobs) yield chunk(index, { delta: { content: text }, logprobs: logprobs ? { content: [logprobs], refusal: null } : null });
    if (finish && left.size > 1) {
      left.delete(index);
      yield chunk(index, { finish_reason: finished(finish, signal) });
    }
  }
}

type Head = Pick<ChatCompletion, 'id' | 'created' | 'model'>;

/** Why a reply ended; a stopped one is an error, as `fetch` has it. */
export function finished(finish: FinishReason, signal: AbortSignal | undefined): 'stop' | 'length' {
  if (finish !== 'cancelled') return finish;
  throw signal ? aborted(signal) : new HalaError('aborted', 'stopped on request');
}

/** Tokens, in the words of the OpenAI API. */
export function usage({ usage }: Costs): Usage {
  const { prompt_tokens, completion_tokens, cached_tokens, completion_tokens_details } = usage;
  return {
    prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, prompt_tokens_details: { cached_tokens },
    ...(completion_tokens_details ? { completion_tokens_details } : {}),
  };
}

/** Times and speeds of so many texts together, in the words of llama.cpp's server. */
export function timings({ usage, timings }: Costs, n_texts = 1): Timings {
  const { prefill_ms, decode_ms } = timings;
  const perSecond = (n: number, ms: number) => (n > 0 && ms > 0 ? (n * 1000) / ms : 0);
  return {
    prompt_ms: prefill_ms,
    prompt_per_second: perSecond(usage.prompt_tokens - usage.cached_tokens, prefill_ms),
    predicted_ms: decode_ms,
    predicted_per_second: perSecond(usage.completion_tokens - n_texts, decode_ms),
  };
}
