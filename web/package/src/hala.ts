// A model in its worker, as pages use it.

import { absolute, folderOf, isHubId } from './address.js';
import { modelCache } from './cache/model-cache.js';
import { Completions } from './chat.js';
import { HalaError } from './errors.js';
import { Link } from './link.js';
import { describe } from './request.js';
import type { SourceData, WorkerInfo } from './protocol.js';
import type { ChatMessage, HalaEventMap, HalaInfo, LoadOptions, LoadProgress, ModelCache, ModelSource, TranslateRequest, Translation } from './types.js';

/** The package's version, which the build puts here. */
declare const VERSION: string;

/** A loaded model. */
export interface Hala {
  addEventListener<K extends keyof HalaEventMap>(
    type: K, listener: (event: HalaEventMap[K]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions,
  ): void;
}

export class Hala extends EventTarget {
  readonly #link: Link;
  #info: HalaInfo;

  /** What is kept for later visits. */
  static readonly cache: ModelCache = modelCache;

  /** Chat in the shape of the OpenAI API. */
  readonly chat: { readonly completions: Completions };

  private constructor(link: Link, info: HalaInfo) {
    super();
    this.#link = link;
    this.#info = info;
    this.chat = { completions: new Completions(link, info.model.name) };
  }

  /** Loads a model in a worker of its own. */
  static async load(options: LoadOptions = {}): Promise<Hala> {
    let hala: Hala | undefined;
    // What is wrong with the request shows before a worker is started.
    const source = sourceOf(options.model ?? 'built-in');
    const parallel = parallelOf(options.parallel);
    const link = new Link((event) => {
      hala?.dispatchEvent(new CustomEvent(event.type, { detail: event }));
    }, options.fetch);
    try {
      const data = {
        source,
        backend: options.backend ?? 'auto',
        weights: options.weights ?? 'auto',
        context: options.context ?? null,
        threads: options.threads ?? null,
        parallel,
        cache: options.cache ?? true,
        headers: { ...options.headers, ...(options.token ? { Authorization: `Bearer ${options.token}` } : {}) },
        ownFetch: options.fetch !== undefined,
        sha256: options.sha256 ?? {},
      } as const;
      let isDownloaded = false;
      const onProgress = (progress: LoadProgress) => {
        isDownloaded ||= progress.phase === 'download';
        options.onProgress?.(progress);
      };
      const info = await link.ask<WorkerInfo>({ kind: 'load', data }, { signal: options.signal, onProgress });
      hala = new Hala(link, { version: VERSION, ...info });
      // Without leave to persist, a browser that runs out of room may drop the model.
      if (isDownloaded) void navigator.storage?.persist?.();
      return hala;
    } catch (error) {
      link.close(new HalaError('disposed', 'the model was not loaded'));
      throw error;
    }
  }

  /** What was loaded and what runs it, as of the last loading or {@link refresh}. */
  get info(): HalaInfo {
    return this.#info;
  }

  /** Looks at backend and memory again. */
  async refresh(): Promise<HalaInfo> {
    this.#info = { version: VERSION, ...(await this.#link.ask<WorkerInfo>({ kind: 'info' })) };
    return this.#info;
  }

  /** Translates a text, and tells which sentence became which. */
  async translate({ signal, onText, ...request }: TranslateRequest): Promise<Translation> {
    const listener = { signal, ...(onText ? { onPiece: onText } : {}) };
    return this.#link.ask({ kind: 'translate', request: JSON.stringify(request) }, listener);
  }

  /** Tokens of the prompt that these messages make. */
  countPrompt(messages: readonly ChatMessage[]): Promise<number> {
    return this.#link.ask({ kind: 'countPrompt', messages });
  }

  /** Tokens of a text alone. */
  countTokens(text: string): Promise<number> {
    return this.#link.ask({ kind: 'countTokens', text });
  }

  /** Ends the GPU's device as a driver does that is reset, for tests of what happens then; does nothing on the CPU. */
  simulateDeviceLoss(): Promise<void> {
    return this.#link.ask({ kind: 'loseDevice' });
  }

  /** Ends the worker and frees all that it held; what is under way is rejected. */
  dispose(): void {
    this.#link.close(new HalaError('disposed', 'the model was disposed of: load it once more'));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** How many sentences or replies are computed at once; null for as many as suit the device. */
function parallelOf(parallel: number | undefined): number | null {
  if (parallel === undefined || (Number.isSafeInteger(parallel) && parallel >= 1)) return parallel ?? null;
  throw new HalaError('invalid-request', `parallel is ${describe(parallel)}, and must be a whole number of 1 or more`, { name: 'parallel' });
}

/** Where a model's files are. */
function sourceOf(model: ModelSource): SourceData {
  if (model === 'built-in') return { kind: 'built-in' };
  if (typeof model === 'string' || model instanceof URL) {
    return { kind: 'url', url: folderOf(model).href, name: isHubId(model) ? String(model) : absolute(model).href };
  }
  const files = Symbol.iterator in Object(model) ? [...model] : [];
  if (files.length > 0 && files.every((file) => file instanceof File)) return { kind: 'files', files };
  throw new HalaError('invalid-request', `model is ${describe(model)}, and must be 'built-in', an address, or a list of files`);
}
