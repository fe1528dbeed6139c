// What the standard shapes share: one loaded model, progress, exceptions and streams as the explainers have them.
// https://webmachinelearning.github.io/writing-assistance-apis/#supporting

import { HalaError } from '../errors.js';
import { Hala } from '../hala.js';
import type { LoadOptions, LoadProgress } from '../types.js';

export type Availability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

/** Tells of a download: `downloadprogress` with `loaded` from 0 to 1 of `total` 1. */
export class CreateMonitor extends EventTarget {
  ondownloadprogress: ((this: CreateMonitor, event: ProgressEvent) => unknown) | null = null;

  /** Tells how far it is. */
  tell(loaded: number): void {
    const event = new ProgressEvent('downloadprogress', { lengthComputable: true, loaded, total: 1 });
    this.dispatchEvent(event);
    this.ondownloadprogress?.(event);
  }
}

/** What every `create` takes. */
export interface CreateOptions {
  signal?: AbortSignal;
  monitor?: (monitor: CreateMonitor) => void;
}

/** A model that is loaded when it is first asked for, once for all that are made of it. */
export class SharedModel {
  readonly #options: LoadOptions;
  readonly #monitors = new Set<CreateMonitor>();
  #loading: Promise<Hala> | undefined;
  #progress = 0;
  availability: Availability = 'downloadable';

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** The model; a signal ends the waiting, not the loading, on which others may wait. */
  async open({ signal, monitor }: CreateOptions = {}): Promise<Hala> {
    signal?.throwIfAborted();
    const own = new CreateMonitor();
    monitor?.(own);
    this.#monitors.add(own);
    const before = this.#progress;
    own.tell(before);
    try {
      const hala = await abortable((this.#loading ??= this.#load()), signal);
      if (before < 1) own.tell(1);
      return hala;
    } catch (error) {
      throw toException(error, signal);
    } finally {
      this.#monitors.delete(own);
    }
  }

  async #load(): Promise<Hala> {
    this.availability = 'downloading';
    try {
      const hala = await Hala.load({ ...this.#options, onProgress: (progress) => this.#tell(progress) });
      this.availability = 'available';
      this.#progress = 1;
      return hala;
    } catch (error) {
      this.availability = 'downloadable';
      this.#loading = undefined;
      this.#progress = 0;
      throw error;
    }
  }

  #tell({ phase, loaded, total }: LoadProgress): void {
    const now = phase === 'download' ? Math.min(loaded / total, 0.99) : this.#progress;
    if (now <= this.#progress) return;
    this.#progress = now;
    for (const monitor of this.#monitors) monitor.tell(now);
  }
}

/** A promise that a signal rejects with its reason. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** An error as the standard shapes throw it; a stopped one is its signal's reason. */
export function toException(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  if (!(error instanceof HalaError)) return error;
  switch (error.code) {
    case 'aborted': return new DOMException(error.message, 'AbortError');
    case 'context-length-exceeded': return new DOMException(error.message, 'QuotaExceededError');
    case 'invalid-request':
    case 'same-language':
    case 'unsupported-model':
    case 'device-refused': return new DOMException(error.message, 'NotSupportedError');
    case 'network':
    case 'http':
    case 'not-found':
    case 'unauthorized':
    case 'corrupt-download': return new DOMException(error.message, 'NetworkError');
    case 'disposed': return destroyed();
    default: return new DOMException(error.message, 'OperationError');
  }
}

export function destroyed(): DOMException {
  return new DOMException('it was destroyed: create another', 'InvalidStateError');
}

export function notSupported(what: string): DOMException {
  return new DOMException(what, 'NotSupportedError');
}

/** A value as WebIDL makes text of it; throws where an argument that must be there is not. https://webidl.spec.whatwg.org/#es-DOMString */
export function textOf(args: ArrayLike<unknown>, method: string): string {
  if (args.length === 0) throw new TypeError(`${method}: 1 argument required, but only 0 present`);
  if (typeof args[0] === 'symbol') throw new TypeError(`${method}: a Symbol cannot be converted to text`);
  return String(args[0]);
}

/** The work of one object: ends with it, or with the signal that it was made with. */
export class Lifetime {
  readonly #end = new AbortController();

  constructor(made?: AbortSignal) {
    if (made?.aborted) this.#end.abort(made.reason);
    made?.addEventListener('abort', () => this.#end.abort(made.reason), { once: true });
  }

  /** A signal of this object's end or the caller's own. */
  signal(own: AbortSignal | undefined): AbortSignal {
    if (this.#end.signal.aborted) throw this.#end.signal.reason;
    own?.throwIfAborted();
    return own ? AbortSignal.any([own, this.#end.signal]) : this.#end.signal;
  }

  end(): void {
    this.#end.abort(destroyed());
  }
}

/** A stream of the pieces that some work tells; cancelling it stops the work. */
export function streamOf(work: (onText: (piece: string) => void, signal: AbortSignal) => Promise<unknown>, signal?: AbortSignal): ReadableStream<string> {
  const stop = new AbortController();
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  return new ReadableStream({
    async start(controller) {
      try {
        await work((piece) => controller.enqueue(piece), both);
        controller.close();
      } catch (error) {
        if (!stop.signal.aborted) controller.error(error);
      }
    },
    cancel: () => stop.abort(),
  });
}
