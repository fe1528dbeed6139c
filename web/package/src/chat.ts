// Chat in the shape of the OpenAI API: whole completions, or chunks of a stream.

import { HalaError } from './errors.js';
import { aborted, type Link } from './link.js';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest, Timings, TokenLogprob, Usage } from './types.js';

/** What the module says at the end of a reply or translation. */
export interface Outcome {
  text: string;
  finish: 'stop' | 'length' | 'cancelled';
  usage: { prompt_tokens: number; completion_tokens: number; cached_tokens: number };
  timings: { prefill_ms: number; decode_ms: number };
}

interface Piece {
  text: string;
  logprobs?: TokenLogprob;
}

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
    const head = { id: `chatcmpl-${crypto.randomUUID()}`, created: Math.floor(Date.now() / 1000), model: this.#model };
    return request.stream ? this.#stream(request, head) : this.#whole(request, head);
  }

  async #whole(request: ChatRequest, head: Head): Promise<ChatCompletion> {
    const logprobs: TokenLogprob[] = [];
    const outcome = await this.#ask(request, request.signal, (piece) => {
      if (piece.logprobs) logprobs.push(piece.logprobs);
    });
    return {
      ...head,
      object: 'chat.completion',
      choices: [{
        index: 0,
        message: { role: 'assistant', content: outcome.text, refusal: null },
        logprobs: request.logprobs ? { content: logprobs, refusal: null } : null,
        finish_reason: finished(outcome.finish, request.signal),
      }],
      usage: usage(outcome),
      timings: timings(outcome),
    };
  }

  async *#stream(request: ChatRequest, head: Head): AsyncGenerator<ChatCompletionChunk> {
    const stop = new AbortController();
    const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal;
    const pieces: Piece[] = [];
    let wake: () => void = () => undefined;
    let outcome: Outcome | undefined;
    let error: unknown;
    const done = this.#ask(request, signal, (piece) => { pieces.push(piece); wake(); })
      .then((result) => { outcome = result; }, (thrown: unknown) => { error = thrown; })
      .finally(() => wake());
    const wantsUsage = request.stream_options?.include_usage === true;
    const chunk = (part: Partial<ChatCompletionChunk['choices'][number]>): ChatCompletionChunk => ({
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: null, ...part }],
      ...(wantsUsage ? { usage: null } : {}),
    });
    try {
      yield chunk({ delta: { role: 'assistant', content: '' } });
      while (pieces.length > 0 || (!outcome && error === undefined)) {
        const piece = pieces.shift();
        if (!piece) {
          await new Promise<void>((resolve) => { wake = resolve; });
        } else if (piece.text !== '' || piece.logprobs) {
          const logprobs = piece.logprobs ? { content: [piece.logprobs], refusal: null } : null;
          yield chunk({ delta: { content: piece.text }, logprobs });
        }
      }
      if (!outcome) throw error;
      yield { ...chunk({ finish_reason: finished(outcome.finish, signal) }), timings: timings(outcome) };
      if (wantsUsage) yield { ...chunk({}), choices: [], usage: usage(outcome), timings: timings(outcome) };
    } finally {
      stop.abort();
      await done;
    }
  }

  #ask(request: ChatRequest, signal: AbortSignal | undefined, onPiece: (piece: Piece) => void): Promise<Outcome> {
    const { signal: _, stream: __, stream_options: ___, model: ____, ...rest } = request;
    const listener = { signal, onPiece: (json: string) => onPiece(JSON.parse(json) as Piece) };
    return this.#link.ask<Outcome>({ kind: 'chat', request: JSON.stringify(rest) }, listener);
  }
}

type Head = Pick<ChatCompletion, 'id' | 'created' | 'model'>;

/** Why a reply ended; a stopped one is an error, as `fetch` has it. */
export function finished(finish: Outcome['finish'], signal: AbortSignal | undefined): 'stop' | 'length' {
  if (finish !== 'cancelled') return finish;
  throw signal ? aborted(signal) : new HalaError('aborted', 'stopped on request');
}

/** Tokens, in the words of the OpenAI API. */
export function usage({ usage }: Outcome): Usage {
  const { prompt_tokens, completion_tokens, cached_tokens } = usage;
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, prompt_tokens_details: { cached_tokens } };
}

/** Times and speeds, in the words of llama.cpp's server. */
export function timings({ usage, timings }: Outcome): Timings {
  const { prefill_ms, decode_ms } = timings;
  const perSecond = (n: number, ms: number) => (n > 0 && ms > 0 ? (n * 1000) / ms : 0);
  return {
    prompt_ms: prefill_ms,
    prompt_per_second: perSecond(usage.prompt_tokens - usage.cached_tokens, prefill_ms),
    predicted_ms: decode_ms,
    predicted_per_second: perSecond(usage.completion_tokens - 1, decode_ms),
  };
}
