// A model's files: side files whole, weight files in parts, from an address or from files that the user chose.

import { HalaError } from './errors.js';
import type { SourceData } from './protocol.js';

/** Files beside the weights; a model has those that it needs. */
const SIDE_FILES = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'model.safetensors.index.json',
] as const;

/** Gives a model's files. */
export interface ModelFiles {
  /** A whole file; undefined where there is none of this name. */
  get(name: string): Promise<Uint8Array | undefined>;
  size(name: string): Promise<number>;
  read(name: string, start: number, end: number): Promise<Uint8Array>;
}

/** The files of a source. */
export function openFiles(source: SourceData, signal: AbortSignal): ModelFiles {
  return source.kind === 'files' ? new ChosenFiles(source.files) : new RemoteFiles(source.url, signal);
}

/** Every side file that is there. */
export async function sideFiles(files: ModelFiles): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>();
  const found = await Promise.all(SIDE_FILES.map(async (name) => [name, await files.get(name)] as const));
  for (const [name, bytes] of found) if (bytes) all.set(name, bytes);
  if (!all.has('config.json')) {
    throw new HalaError('missing-file', 'there is no config.json: give the folder of a model in Hugging Face layout', { name: 'config.json' });
  }
  return all;
}

/** Files that the user chose; nothing is copied but what is read. */
class ChosenFiles implements ModelFiles {
  readonly #files: Map<string, File>;

  constructor(files: readonly File[]) {
    this.#files = new Map(files.map((file) => [file.name, file]));
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const file = this.#files.get(name);
    return file && new Uint8Array(await file.arrayBuffer());
  }

  async size(name: string): Promise<number> {
    return this.#file(name).size;
  }

  async read(name: string, start: number, end: number): Promise<Uint8Array> {
    return new Uint8Array(await this.#file(name).slice(start, end).arrayBuffer());
  }

  #file(name: string): File {
    const file = this.#files.get(name);
    if (file) return file;
    const there = [...this.#files.keys()].join(', ') || 'nothing';
    throw new HalaError('missing-file', `${name} is not among the files (${there}): choose all files of the model`, { name });
  }
}

/** Files behind an address. */
class RemoteFiles implements ModelFiles {
  readonly #base: string;
  readonly #signal: AbortSignal;
  /** Files of a server that sends them whole whatever is asked for, so that each is fetched once. */
  readonly #whole = new Map<string, Blob>();

  constructor(base: string, signal: AbortSignal) {
    this.#base = base;
    this.#signal = signal;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const response = await this.#fetch(name);
    if (response.status === 404) return undefined;
    return new Uint8Array(await (await this.#good(name, response)).arrayBuffer());
  }

  async size(name: string): Promise<number> {
    const response = await this.#good(name, await this.#fetch(name, { headers: { Range: 'bytes=0-0' } }));
    const total = Number(response.headers.get('content-range')?.split('/')[1] ?? response.headers.get('content-length'));
    await response.body?.cancel();
    if (Number.isSafeInteger(total) && total > 0) return total;
    throw new HalaError('http', `the server does not say how large ${name} is: it must send Content-Length or Content-Range`, { name });
  }

  async read(name: string, start: number, end: number): Promise<Uint8Array> {
    if (start === end) return new Uint8Array();
    const bytes = await this.#part(name, start, end);
    if (bytes.length === end - start) return bytes;
    throw new HalaError('network', `${bytes.length} bytes of ${name} came where ${end - start} were asked for: try again`, { name });
  }

  async #part(name: string, start: number, end: number): Promise<Uint8Array> {
    const slice = async (whole: Blob) => new Uint8Array(await whole.slice(start, end).arrayBuffer());
    const held = this.#whole.get(name);
    if (held) return slice(held);
    const response = await this.#good(name, await this.#fetch(name, { headers: { Range: `bytes=${start}-${end - 1}` } }));
    if (response.status === 206) return new Uint8Array(await response.arrayBuffer());
    const whole = await response.blob();
    this.#whole.set(name, whole);
    return slice(whole);
  }

  async #fetch(name: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await fetch(new URL(name, this.#base), { ...init, signal: this.#signal });
    } catch (cause) {
      if (this.#signal.aborted) throw new HalaError('aborted', 'stopped on request');
      throw new HalaError('network', `${name} cannot be fetched from ${this.#base}: check the connection, and that the server allows this page (CORS)`, { name }, { cause });
    }
  }

  async #good(name: string, response: Response): Promise<Response> {
    const { status } = response;
    if (status === 401 || status === 403) {
      throw new HalaError('unauthorized', `the server refuses ${name} (${status}): the model may be private or need its licence accepted`, { status, name });
    }
    if (status === 404) throw new HalaError('not-found', `${name} is not at ${this.#base}: check the address`, { status, name });
    if (!response.ok) throw new HalaError('http', `the server answered ${status} for ${name}: try again later`, { status, name });
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      throw new HalaError('http', `the server sent a web page in place of ${name}: check the address`, { status, name });
    }
    return response;
  }
}
