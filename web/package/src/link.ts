// The page's end of the line to the worker: requests as promises, pieces as callbacks.

import { fromPlain, HalaError } from './errors.js';
import { answerFetch } from './page-fetch.js';
import type { FetchRequest, FromWorker, Task, WorkerEvent } from './protocol.js';

/** What is told while a request is worked on. */
export interface Listener {
  signal?: AbortSignal | undefined;
  onPiece?: (piece: string) => void;
  onProgress?: (progress: Extract<FromWorker, { kind: 'progress' }>['progress']) => void;
}

interface Waiting extends Listener {
  resolve(result: unknown): void;
  reject(error: HalaError): void;
}

/** A worker and what was asked of it. */
export class Link {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** What stops the page's own fetches. */
  readonly #fetches = new Map<number, AbortController>();
  /** Why nothing can be asked any more. */
  #end: HalaError | undefined;
  #lastId = 0;

  /** `own` is the page's way to fetch a model's files, where it has one. */
  constructor(onEvent: (event: WorkerEvent) => void, own?: typeof fetch) {
    this.#worker = startWorker();
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'event') onEvent(data.event);
      else if (data.kind === 'fetch') void this.#fetch(own ?? fetch, data.id, data.request);
      else if (data.kind === 'unfetch') this.#fetches.get(data.id)?.abort();
      else this.#take(data);
    });
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      const reason = event.message || 'it could not be started: its file must come from the page\'s own origin';
      this.close(new HalaError('worker-died', `the worker ended: ${reason}. Load the model once more`));
    });
  }

  /** Asks for a piece of work; what it resolves to is the task's own. */
  ask<T>(task: Task, listener: Listener = {}): Promise<T> {
    if (this.#end) return Promise.reject(this.#end);
    if (listener.signal?.aborted) return Promise.reject(aborted(listener.signal));
    const id = ++this.#lastId;
    const { signal } = listener;
    const abort = () => this.#worker.postMessage({ id, abort: true });
    signal?.addEventListener('abort', abort, { once: true });
    const done = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { ...listener, resolve, reject });
      this.#worker.postMessage({ id, task });
    });
    return done.finally(() => signal?.removeEventListener('abort', abort)) as Promise<T>;
  }

  /** Ends the worker: what was asked is rejected with this error, and so is all that is asked later. */
  close(error: HalaError): void {
    if (this.#end) return;
    this.#end = error;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async #fetch(own: typeof fetch, id: number, request: FetchRequest): Promise<void> {
    const stop = new AbortController();
    this.#fetches.set(id, stop);
    const [answer, handed] = await answerFetch(own, request, stop.signal);
    this.#worker.postMessage({ fetched: id, ...answer }, handed);
  }

  #take(message: Exclude<FromWorker, { kind: 'event' | 'fetch' | 'unfetch' }>): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    switch (message.kind) {
      case 'progress': waiting.onProgress?.(message.progress); return;
      case 'piece': waiting.onPiece?.(message.piece); return;
      case 'done': waiting.resolve(message.result); break;
      case 'failed': waiting.reject(message.error.code === 'aborted' ? aborted(waiting.signal) : fromPlain(message.error)); break;
    }
    this.#waiting.delete(message.id);
  }
}

/** The error of work that its caller stopped. */
export function aborted(signal?: AbortSignal): HalaError {
  return new HalaError('aborted', 'stopped on request', {}, { cause: signal?.reason });
}

/** A worker for a model; throws where this environment has none. */
function startWorker(): Worker {
  if (typeof Worker === 'undefined') {
    throw new HalaError('unsupported-environment', 'there is no Worker here: models run in browsers, in pages and in their dedicated or shared workers');
  }
  try {
    // Bundlers find the worker by these very words.
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'hala' });
  } catch (cause) {
    const advice = 'serve the package\'s files from the page\'s own origin, and allow worker-src for it';
    throw new HalaError('unsupported-environment', `the worker cannot be started: ${advice}`, {}, { cause });
  }
}
