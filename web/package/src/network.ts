// A folder on a server: its files by name, and what can go wrong in words.

import { HalaError } from './errors.js';

/** How files are asked for: the browser's own `fetch`, with what the page adds. */
export type Fetch = (address: string | URL, init: RequestInit) => Promise<Response>;

/** A way to ask that adds headers to each request. */
export function withHeaders(ask: Fetch, headers: Readonly<Record<string, string>>): Fetch {
  return (address, init) => ask(address, { ...init, headers: { ...headers, ...(init.headers as Record<string, string> | undefined) } });
}

/** What a server is asked with. */
interface ServerOptions {
  fetch?: Fetch;
  /** Addresses of files that do not lie in the folder under their names. */
  elsewhere?: Readonly<Record<string, string>>;
}

/** A folder behind an address, which ends in `/`. */
export class Server {
  readonly base: string;
  readonly fetch: Fetch;
  readonly #signal: AbortSignal;
  readonly #elsewhere: Readonly<Record<string, string>>;

  constructor(base: string, signal: AbortSignal, { fetch = (address, init) => globalThis.fetch(address, init), elsewhere = {} }: ServerOptions = {}) {
    this.base = base;
    this.fetch = fetch;
    this.#signal = signal;
    this.#elsewhere = elsewhere;
  }

  /** Asks for a file; undefined where there is none of this name. */
  async find(name: string, init: RequestInit = {}): Promise<Response | undefined> {
    const response = await this.#fetch(name, init);
    return response.status === 404 ? undefined : this.#good(name, response);
  }

  /** Asks for a file that must be there. */
  async get(name: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.find(name, init);
    if (response) return response;
    throw new HalaError('not-found', `${name} is not at ${this.base}: check the address`, { status: 404, name });
  }

  /**
   * Asks for the bytes from `start` to before `end`; a server that knows no ranges sends the file whole. It goes past the browser's
   * own cache, which would keep every part and fit them together wrongly.
   */
  part(name: string, start: number, end: number): Promise<Response> {
    return this.get(name, { headers: { Range: `bytes=${start}-${end - 1}` }, cache: 'no-store' });
  }

  /** How large a file is and the server's mark of its version, without the file. */
  async version(name: string): Promise<{ bytes: number; etag: string | null }> {
    const response = await this.part(name, 0, 1);
    await response.body?.cancel();
    return { bytes: wholeSize(response) ?? 0, etag: response.headers.get('etag') };
  }

  /** What reading a body threw, as an error of this package: the server had answered, so that it is no matter of addresses or leave. */
  broken(name: string, cause: unknown, { bytes, total }: { bytes?: number; total?: number | undefined } = {}): HalaError {
    if (this.#signal.aborted) return new HalaError('aborted', 'stopped on request');
    const whole = total === undefined ? '' : ` of ${total}`;
    const found = bytes === undefined ? 'before it was whole' : `at ${bytes}${whole} bytes`;
    return new HalaError('network', `${name} from ${this.base} ended ${found}: try again, what came is kept where models are kept`, { name, ...(bytes === undefined ? {} : { bytes }) }, { cause });
  }

  #unreachable(name: string, cause: unknown): HalaError {
    if (this.#signal.aborted) return new HalaError('aborted', 'stopped on request');
    const advice = 'check the connection, and that the server allows this page (CORS)';
    return new HalaError('network', `${name} cannot be fetched from ${this.base}: ${advice}`, { name }, { cause });
  }

  async #fetch(name: string, init: RequestInit): Promise<Response> {
    const signal = init.signal ? AbortSignal.any([init.signal, this.#signal]) : this.#signal;
    try {
      return await this.fetch(this.#elsewhere[name] ?? new URL(name, this.base), { ...init, signal });
    } catch (cause) {
      throw this.#unreachable(name, cause);
    }
  }

  #good(name: string, response: Response): Response {
    const { status } = response;
    if (status === 401 || status === 403) {
      throw new HalaError('unauthorized', `the server refuses ${name} (${status}): the model may be private or need its licence accepted`, { status, name });
    }
    if (!response.ok) throw new HalaError('http', `the server answered ${status} for ${name}: try again later`, { status, name });
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      throw new HalaError('http', `the server sent a web page in place of ${name}: check the address`, { status, name });
    }
    return response;
  }
}

/** Bytes of the whole file that a response is a part of; undefined where the server does not say. */
export function wholeSize(response: Response): number | undefined {
  const range = response.headers.get('content-range')?.split('/')[1];
  // The length of a compressed body is not that of the file.
  const length = response.status === 200 && !response.headers.has('content-encoding') ? response.headers.get('content-length') : null;
  const total = Number(range ?? length ?? Number.NaN);
  return Number.isSafeInteger(total) && total >= 0 ? total : undefined;
}

export function unknownSize(name: string): HalaError {
  return new HalaError('http', `the server does not say how large ${name} is: it must send Content-Length or Content-Range`, { name });
}
