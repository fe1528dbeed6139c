// A page's own `fetch`, which the worker uses from afar: what is asked goes to the page, and the answer comes back as a stream.

import type { FetchAnswer, FetchRequest, FromWorker } from './protocol.js';

/** The worker's side. */
export class PageFetch {
  readonly #post: (message: FromWorker) => void;
  readonly #waiting = new Map<number, (answer: FetchAnswer) => void>();
  #lastId = 0;

  constructor(post: (message: FromWorker) => void) {
    this.#post = post;
  }

  /** As `fetch`: rejects where the page's did, or the signal stops it. */
  async ask(address: string | URL, init: RequestInit): Promise<Response> {
    const id = ++this.#lastId;
    const { signal, cache } = init;
    signal?.throwIfAborted();
    const headers = Object.fromEntries(new Headers(init.headers));
    const stop = () => this.#post({ id, kind: 'unfetch' });
    signal?.addEventListener('abort', stop, { once: true });
    const answer = await new Promise<FetchAnswer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#post({ id, kind: 'fetch', request: { address: String(address), headers, cache } });
    });
    this.#waiting.delete(id);
    signal?.throwIfAborted();
    if ('failed' in answer) throw new TypeError(answer.failed);
    const isEmpty = [204, 205, 304].includes(answer.status);
    return new Response(isEmpty ? null : answer.body, { status: answer.status, headers: answer.headers });
  }

  take(id: number, answer: FetchAnswer): void {
    this.#waiting.get(id)?.(answer);
  }
}

/** The page's side: fetches, and gives the answer with what is to be handed over. */
export async function answerFetch(own: typeof fetch, { address, headers, cache }: FetchRequest, signal: AbortSignal): Promise<[FetchAnswer, Transferable[]]> {
  try {
    const response = await own(address, { headers, signal, ...(cache ? { cache } : {}) });
    const body = response.body && (isHandedOver() ? response.body : await response.arrayBuffer());
    return [{ status: response.status, headers: [...response.headers], body }, body ? [body as Transferable] : []];
  } catch (error) {
    return [{ failed: error instanceof Error ? error.message : String(error) }, []];
  }
}

/** Whether streams can be handed over to a worker, which Safari learnt last. */
function isHandedOver(): boolean {
  try {
    const stream = new ReadableStream();
    structuredClone(stream, { transfer: [stream as unknown as Transferable] });
    return true;
  } catch {
    return false;
  }
}
