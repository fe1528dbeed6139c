// The files of a model in the cache: brought there when they are first needed, checked when they are read, fetched again where they are damaged.

import { HalaError } from '../errors.js';
import type { ModelFiles } from '../files.js';
import { unknownSize, type Server } from '../network.js';
import { heldBytes, type KeptFile, type KeptModel } from './kept.js';

/** A safetensors file begins with 8 bytes that tell how long its header is, and the header. */
const HEADER_STARTS = [0, 8];

export class CachedFiles implements ModelFiles {
  readonly #model: KeptModel;
  readonly #server: Server;
  /** Brings the weight files. */
  readonly #bring: () => Promise<void>;
  /** The piece that was read last: tensors are read in the order of the file, several from each piece. */
  #last: { name: string; index: number; bytes: Uint8Array } | undefined;

  constructor(model: KeptModel, server: Server, bring: () => Promise<void>) {
    this.#model = model;
    this.#server = server;
    this.#bring = bring;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const file = this.#model.manifest.files[name];
    return file && this.#kept(file, 0, heldBytes(file), (index, offset) => this.#piece(name, index, offset));
  }

  async size(name: string): Promise<number> {
    const { bytes } = this.#file(name);
    if (bytes > 0) return bytes;
    throw unknownSize(name);
  }

  async doubt(): Promise<void> {
    this.#model.manifest.complete = false;
    await this.#model.save();
  }

  /** Headers are read from the server, so that a model that cannot be run is refused before it is downloaded. */
  async read(name: string, start: number, end: number): Promise<Uint8Array> {
    if (!this.#model.manifest.complete) {
      const header = HEADER_STARTS.includes(start) ? await this.#ask(name, start, end) : undefined;
      if (header) return header;
      await this.#bring();
    }
    return this.#kept(this.#file(name), start, end, (index, offset) => this.#held(name, index, offset));
  }

  #file(name: string): KeptFile {
    const file = this.#model.manifest.files[name];
    if (file) return file;
    throw new HalaError('missing-file', `${name} is not at ${this.#server.base}`, { name });
  }

  async #kept(
    file: KeptFile, start: number, end: number, piece: (index: number, offset: number) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const out = new Uint8Array(end - start);
    let offset = 0;
    for (const [index, { bytes }] of file.pieces.entries()) {
      const from = Math.max(start, offset);
      const to = Math.min(end, offset + bytes);
      if (from < to) out.set((await piece(index, offset)).subarray(from - offset, to - offset), from - start);
      offset += bytes;
    }
    return out;
  }

  /** A piece of a weight file, which is kept for the next tensor. */
  async #held(name: string, index: number, offset: number): Promise<Uint8Array> {
    const last = this.#last;
    if (last?.name === name && last.index === index) return last.bytes;
    this.#last = undefined;
    const bytes = await this.#piece(name, index, offset);
    this.#last = { name, index, bytes };
    return bytes;
  }

  async #piece(name: string, index: number, offset: number): Promise<Uint8Array> {
    return (await this.#model.read(name, index)) ?? this.#repair(name, index, offset);
  }

  async #repair(name: string, index: number, offset: number): Promise<Uint8Array> {
    const bytes = await this.#ask(name, offset, offset + this.#file(name).pieces[index]!.bytes);
    if (bytes && (await this.#model.replace(name, index, bytes))) return bytes;
    // Pieces of two versions would make a model of neither, so the file is fetched whole when the model is loaded again.
    this.#model.manifest.complete = false;
    this.#file(name).pieces.length = 0;
    await this.#model.save();
    throw new HalaError('corrupt-download', `${name} is damaged in the cache, and its server gives another: load the model again`, { name });
  }

  /** A range from the server; undefined where it knows no ranges. */
  async #ask(name: string, start: number, end: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const response = await this.#server.part(name, start, end);
    if (response.status !== 206) {
      await response.body?.cancel();
      return undefined;
    }
    return new Uint8Array(await response.arrayBuffer().catch((cause: unknown) => { throw this.#server.broken(name, cause); }));
  }
}
