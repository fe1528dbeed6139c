// Chat in the shape of the browsers' own LanguageModel, with a model of the page's choice.
// https://github.com/webmachinelearning/prompt-api

import type { Hala } from '../hala.js';
import type { ChatMessage, LoadOptions } from '../types.js';
import { Lifetime, notSupported, SharedModel, streamOf, textOf, toException, type Availability, type CreateOptions } from './shared.js';

export interface PromptMessage {
  role: 'system' | 'user' | 'assistant';
  /** Text, or parts of which all must be text. */
  content: string | readonly { type: string; value: unknown }[];
  /** A reply that the model goes on with is not supported. */
  prefix?: boolean;
}

export type Prompt = string | readonly PromptMessage[];

export interface SamplingOptions {
  samplingMode?: 'most-predictable' | 'predictable' | 'balanced' | 'creative' | 'most-creative';
  temperature?: number;
  topK?: number;
}

export interface PromptOptions {
  signal?: AbortSignal;
  /** Not supported. */
  responseConstraint?: object;
  omitResponseConstraintInput?: boolean;
}

export interface LanguageModelOptions extends CreateOptions, SamplingOptions {
  initialPrompts?: readonly PromptMessage[];
  /** Only text is supported, in and out. */
  expectedInputs?: readonly { type: string; languages?: string[] }[];
  expectedOutputs?: readonly { type: string; languages?: string[] }[];
  /** Not supported. */
  tools?: readonly object[];
}

let model: SharedModel | undefined;

/** Names the model that {@link LanguageModel} runs; none is there before. */
export function configureLanguageModel(options: LoadOptions): void {
  model = new SharedModel(options);
}

const TEMPERATURES = { 'most-predictable': 0, predictable: 0.15, balanced: 0.3, creative: 0.7, 'most-creative': 1 } as const;

export class LanguageModel extends EventTarget {
  oncontextoverflow: ((this: LanguageModel, event: Event) => unknown) | null = null;
  readonly #hala: Hala;
  readonly #initial: readonly ChatMessage[];
  readonly #sampling: { temperature?: number; top_k?: number };
  readonly #life: Lifetime;
  #turns: readonly ChatMessage[] = [];
  #usage = 0;
  /** Prompts of one session come after each other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(hala: Hala, initial: readonly ChatMessage[], sampling: { temperature?: number; top_k?: number }, signal: AbortSignal | undefined) {
    super();
    this.#life = new Lifetime(signal);
    this.#hala = hala;
    this.#initial = initial;
    this.#sampling = sampling;
  }

  static async availability(options: LanguageModelOptions = {}): Promise<Availability> {
    return refusal(options) || !model ? 'unavailable' : model.availability;
  }

  static async create(options: LanguageModelOptions = {}): Promise<LanguageModel> {
    const refused = refusal(options);
    if (refused) throw notSupported(refused);
    if (!model) throw notSupported('no model was named: call configureLanguageModel({ model }) or polyfill({ model }) first');
    const initial = messagesOf(options.initialPrompts ?? []);
    const hala = await model.open(options);
    const session = new LanguageModel(hala, initial, samplingOf(options), options.signal);
    await session.#fit([], options.signal);
    return session;
  }

  /** Tokens that the conversation holds, and that it may hold. */
  get contextUsage(): number {
    return this.#usage;
  }

  get contextWindow(): number {
    return this.#hala.info.model.context;
  }

  /** Older names of the same. */
  get inputUsage(): number {
    return this.contextUsage;
  }

  get inputQuota(): number {
    return this.contextWindow;
  }

  async prompt(input: Prompt, options: PromptOptions = {}): Promise<string> {
    return this.#answer(input, options, this.#life.signal(options.signal));
  }

  promptStreaming(input: Prompt, options: PromptOptions = {}): ReadableStream<string> {
    const signal = this.#life.signal(options.signal);
    return streamOf((onText, both) => this.#answer(input, options, both, onText), signal);
  }

  /** Adds messages without an answer. */
  async append(input: Prompt, options: { signal?: AbortSignal } = {}): Promise<undefined> {
    const signal = this.#life.signal(options.signal);
    const added = messagesOf(input);
    await this.#inTurn(async () => {
      this.#turns = await this.#fit(added, signal);
    });
    return undefined;
  }

  /** Tokens that a prompt adds to the conversation. */
  async measureContextUsage(input: Prompt, options: PromptOptions = {}): Promise<number> {
    this.#life.signal(options.signal);
    const before = [...this.#initial, ...this.#turns];
    const held = before.length > 0 ? await this.#hala.countPrompt(before) : 0;
    return (await this.#hala.countPrompt([...before, ...messagesOf(input)])) - held;
  }

  measureInputUsage(input: Prompt, options: PromptOptions = {}): Promise<number> {
    return this.measureContextUsage(input, options);
  }

  /** Another session that goes on from here. */
  async clone(options: { signal?: AbortSignal } = {}): Promise<LanguageModel> {
    this.#life.signal(options.signal);
    const twin = new LanguageModel(this.#hala, this.#initial, this.#sampling, options.signal);
    twin.#turns = this.#turns;
    twin.#usage = this.#usage;
    return twin;
  }

  /** Stops what is under way; the model stays, for others. */
  destroy(): undefined {
    this.#life.end();
    return undefined;
  }

  /** The reply; what was said is kept only if it came whole. */
  async #answer(input: Prompt, { responseConstraint }: PromptOptions, signal: AbortSignal, onText?: (piece: string) => void): Promise<string> {
    if (responseConstraint) throw notSupported('replies cannot be constrained to a schema');
    const added = messagesOf(input);
    return this.#inTurn(async () => {
      const turns = await this.#fit(added, signal);
      try {
        const messages = [...this.#initial, ...turns];
        const request = { messages, stream: true, stream_options: { include_usage: true }, signal, ...this.#sampling } as const;
        let text = '';
        for await (const { choices, usage } of await this.#hala.chat.completions.create(request)) {
          const piece = choices[0]?.delta.content ?? '';
          text += piece;
          if (piece !== '') onText?.(piece);
          if (usage) this.#usage = usage.total_tokens;
        }
        this.#turns = [...turns, { role: 'assistant', content: text }];
        return text;
      } catch (error) {
        throw toException(error, signal);
      }
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** The conversation with what is added; its oldest turns are left out where the context has no room, the initial prompts never. */
  async #fit(added: readonly ChatMessage[], signal: AbortSignal | undefined): Promise<readonly ChatMessage[]> {
    let turns = this.#turns;
    for (;;) {
      const messages = [...this.#initial, ...turns, ...added];
      const used = messages.length > 0 ? await this.#hala.countPrompt(messages).catch((error: unknown) => { throw toException(error, signal); }) : 0;
      signal?.throwIfAborted();
      if (used < this.contextWindow) {
        this.#usage = used;
        break;
      }
      if (turns.length === 0) throw new DOMException(`the prompt has ${used} tokens, and the context ${this.contextWindow}`, 'QuotaExceededError');
      turns = turns.slice(1);
    }
    if (turns.length < this.#turns.length) this.#tellOverflow();
    return [...turns, ...added];
  }

  #tellOverflow(): void {
    const event = new Event('contextoverflow');
    this.dispatchEvent(event);
    this.oncontextoverflow?.(event);
  }
}

/** Why something that is asked for cannot be done; undefined where it can. */
function refusal({ expectedInputs = [], expectedOutputs = [], tools = [] }: LanguageModelOptions): string | undefined {
  const other = [...expectedInputs, ...expectedOutputs].find(({ type }) => type !== 'text');
  if (other) return `only text is supported, not ${other.type}`;
  return tools.length > 0 ? 'tools are not supported' : undefined;
}

function samplingOf({ samplingMode, temperature, topK }: SamplingOptions): { temperature?: number; top_k?: number } {
  if (samplingMode !== undefined && (temperature !== undefined || topK !== undefined)) {
    throw new TypeError('samplingMode and temperature or topK exclude each other');
  }
  const heat = samplingMode ? TEMPERATURES[samplingMode] : temperature;
  return { ...(heat === undefined ? {} : { temperature: heat }), ...(topK === undefined ? {} : { top_k: topK }) };
}

function messagesOf(input: Prompt): ChatMessage[] {
  // As WebIDL has it: what is no list is text.
  if (typeof input !== 'object' || input === null || !(Symbol.iterator in input)) return [{ role: 'user', content: textOf([input], 'prompt') }];
  return input.map(({ role, content, prefix }) => {
    if (prefix) throw notSupported('a reply cannot be begun for the model');
    return { role, content: typeof content === 'string' ? content : content.map(textOfPart).join('') };
  });
}

function textOfPart({ type, value }: { type: string; value: unknown }): string {
  if (type === 'text' && typeof value === 'string') return value;
  throw notSupported(`only text is supported, not ${type}`);
}
