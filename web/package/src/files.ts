// A model's files: side files whole, weight files in parts, from an address or from files that the user chose.

import { HalaError } from './errors.js';
import { unknownSize, type Server } from './network.js';

/** Files beside the weights; a model has those that it needs. */
export const SIDE_FILES = [
  'config.json',
  'model.safetensors.index.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
] as const;

/** Gives a model's files. */
export interface ModelFiles {
  /** A whole file; undefined where there is none of this name. */
  get(name: string): Promise<Uint8Array | undefined>;
  size(name: string): Promise<number>;
  /** Says that what was read is no model that runs: what is kept of it is looked at again before it is used once more. */
  doubt?(): Promise<void>;
  /** The bytes are the caller's own. */
  read(name: string, start: number, end: number): Promise<Uint8Array>;
}

/**
 * The first `length` bytes of a source, fewer where it ends before. They are read into memory of the script's own, which
 * {@link release} gives back at once; what `arrayBuffer()` gives stays until the browser looks for garbage.
 */
export async function readAll(source: Response | Blob, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const reader = byteReader(source instanceof Blob ? source.stream() : source.body);
  if (!reader) return new Uint8Array(await source.arrayBuffer());
  let buffer = new ArrayBuffer(length);
  let n = 0;
  while (n < length) {
    const { done, value } = await reader.read(new Uint8Array(buffer, n));
    if (value) buffer = value.buffer;
    if (done || !value) break;
    n += value.length;
  }
  await reader.cancel();
  return new Uint8Array(buffer, 0, n);
}

/** A reader into one's own memory; undefined in browsers without. */
function byteReader(stream: ReadableStream<Uint8Array<ArrayBuffer>> | null): ReadableStreamBYOBReader | undefined {
  try {
    return stream?.getReader({ mode: 'byob' });
  } catch {
    return undefined;
  }
}

/** Gives the memory of bytes back now: tensors by the hundred would pile up till the browser looks for garbage. */
export function release(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer?.(0);
}

/** Every side file that is there; `address` is where they were looked for, where that was a server. */
export async function sideFiles(files: ModelFiles, address?: string): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>();
  const found = await Promise.all(SIDE_FILES.map(async (name) => [name, await files.get(name)] as const));
  for (const [name, bytes] of found) if (bytes) all.set(name, bytes);
  if (!all.has('config.json')) {
    const advice = 'give the folder of a model in Hugging Face layout, or OWNER/NAME as on the Hub';
    if (address !== undefined) throw new HalaError('not-found', `there is no config.json at ${address}: ${advice}`, { status: 404, name: address });
    throw new HalaError('missing-file', `there is no config.json among the files: ${advice}`, { name: 'config.json' });
  }
  return all;
}

/** Files that the user chose; nothing is copied but what is read. */
export class ChosenFiles implements ModelFiles {
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
    return readAll(this.#file(name).slice(start, end), end - start);
  }

  #file(name: string): File {
    const file = this.#files.get(name);
    if (file) return file;
    const there = [...this.#files.keys()].join(', ') || 'nothing';
    throw new HalaError('missing-file', `${name} is not among the files (${there}): choose all files of the model`, { name });
  }
}

/** Files behind an address, read where they are. */
export class RemoteFiles implements ModelFiles {
  readonly #server: Server;
  /** Files of a server that sends them whole whatever is asked for, so that each is fetched once. */
  readonly #whole = new Map<string, Blob>();

  constructor(server: Server) {
    this.#server = server;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const response = await this.#server.find(name);
    return response && new Uint8Array(await this.#came(name, response.arrayBuffer()));
  }

  async size(name: string): Promise<number> {
    const { bytes } = await this.#server.version(name);
    if (bytes > 0) return bytes;
    throw unknownSize(name);
  }

  async read(name: string, start: number, end: number): Promise<Uint8Array> {
    if (start === end) return new Uint8Array();
    const bytes = await this.#part(name, start, end);
    if (bytes.length === end - start) return bytes;
    throw new HalaError('network', `${bytes.length} bytes of ${name} came where ${end - start} were asked for: try again`, { name });
  }

  async #part(name: string, start: number, end: number): Promise<Uint8Array> {
    const slice = (whole: Blob) => readAll(whole.slice(start, end), end - start);
    const held = this.#whole.get(name);
    if (held) return slice(held);
    const response = await this.#server.part(name, start, end);
    if (response.status === 206) return this.#came(name, readAll(response, end - start));
    const whole = await this.#came(name, response.blob());
    this.#whole.set(name, whole);
    return slice(whole);
  }

  #came<T>(name: string, body: Promise<T>): Promise<T> {
    return body.catch((cause: unknown) => { throw this.#server.broken(name, cause); });
  }
}
