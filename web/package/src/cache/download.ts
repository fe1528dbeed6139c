// Downloads a file into the cache: from where an earlier try ended, again where the line breaks, checked by SHA-256.

import { sha256 } from '@noble/hashes/sha2.js';
import { HalaError } from '../errors.js';
import { hexadecimal } from '../hexadecimal.js';
import { wholeSize, type Server } from '../network.js';
import { heldBytes, isOther, type KeptModel } from './kept.js';
import { PieceBuffer } from './piece-buffer.js';

/** Tries without a byte of progress before a download gives up, and what it waits before the second; each wait is twice the last. */
const TRIES = 4;
const FIRST_WAIT_MS = 500;
/** A line that brings nothing for so long is taken for broken. */
const STALL_MS = 20_000;

/** What a download works with. */
export interface Line {
  server: Server;
  model: KeptModel;
  signal: AbortSignal;
  /** Called as bytes of a file come, with those of them that are not yet kept. */
  onBytes: (name: string, pending: number) => void;
}

/** Makes a file whole; false where the server has none of this name. */
export async function download(line: Line, name: string, expected: string | undefined): Promise<boolean> {
  const file = new FileDownload(line, name);
  for (let round = 0; round < 2; round++) {
    if (!(await file.finish())) return false;
    if (await file.seal(expected)) return true;
  }
  const advice = 'the file on the server may be damaged, or the sum may be of another version';
  throw new HalaError('corrupt-download', `the SHA-256 of ${name} is not ${expected}, twice in a row: ${advice}`, { name });
}

class FileDownload {
  readonly #line: Line;
  readonly #name: string;
  /** Of all that is kept; undefined until that was read. */
  #hash: ReturnType<typeof sha256.create> | undefined;

  constructor(line: Line, name: string) {
    this.#line = line;
    this.#name = name;
  }

  /** Fetches what is not kept, with new tries as long as they bring something; false where there is no such file. */
  async finish(): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      this.#hash ??= await this.#rehash();
      const before = heldBytes(this.#file);
      if (before > 0 && before === this.#file.bytes) return true;
      try {
        return await this.#fetch(before);
      } catch (error) {
        if (heldBytes(this.#file) > before) tries = 0;
        if (!isPassing(error) || tries >= TRIES || !navigator.onLine) throw this.#explained(error);
        await pause(FIRST_WAIT_MS * 2 ** Math.max(tries - 1, 0), this.#line.signal);
      }
    }
  }

  /** An error that ends a download: where something had come, it is the line that broke, whatever the last try met. */
  #explained(error: unknown): unknown {
    const bytes = heldBytes(this.#file);
    const isLine = error instanceof HalaError && error.code === 'network' && bytes > 0;
    return isLine ? this.#line.server.broken(this.#name, error, { bytes, total: this.#file.bytes || undefined }) : error;
  }

  /** Notes the sum of the whole file; where it is not the expected one, forgets the file and gives false. */
  async seal(expected: string | undefined): Promise<boolean> {
    const sum = hexadecimal(this.#hash!.digest());
    this.#hash = undefined;
    if (expected && sum !== expected.toLowerCase()) {
      await this.#forget();
      return false;
    }
    this.#file.sha256 = sum;
    await this.#line.model.save();
    return true;
  }

  get #file() {
    return this.#line.model.file(this.#name);
  }

  /** Hashes what is kept, and drops pieces from the first damaged one on. */
  async #rehash() {
    const hash = sha256.create();
    const { pieces } = this.#file;
    for (let i = 0; i < pieces.length; i++) {
      const bytes = await this.#line.model.read(this.#name, i);
      if (bytes) hash.update(bytes);
      else pieces.length = i;
    }
    return hash;
  }

  async #forget(): Promise<void> {
    this.#hash = undefined;
    Object.assign(this.#file, { pieces: [], bytes: 0, etag: null, sha256: null });
    await this.#line.model.save();
  }

  /** One request for what lies behind `start`. What comes is kept, however the request ends. */
  async #fetch(start: number): Promise<boolean> {
    const { server, model } = this.#line;
    const stall = new Stall();
    const init: RequestInit = { headers: { Range: `bytes=${start}-` }, cache: 'no-store', signal: stall.signal };
    const response = await stall.watch(server.find(this.#name, init));
    if (!response?.body) {
      model.drop(this.#name);
      return false;
    }
    const total = wholeSize(response);
    const version = { bytes: total ?? 0, etag: response.headers.get('etag') };
    if (start > 0 && isOther(this.#file, version)) {
      await response.body.cancel();
      await this.#forget();
      throw new HalaError('network', `${this.#name} changed on the server while it was downloaded: load the model again`, { name: this.#name });
    }
    Object.assign(this.#file, version);
    // A server that knows no Range sends what is kept once more.
    await this.#keep(response.body, stall, response.status === 206 ? 0 : start);
    const held = heldBytes(this.#file);
    if (total !== undefined && held !== total) {
      throw new HalaError('network', `${this.#name} ended at ${held} bytes of ${total}: try again`, { name: this.#name });
    }
    this.#file.bytes = held;
    return true;
  }

  /** Appends what comes to the file, in pieces. */
  async #keep(body: ReadableStream<Uint8Array>, stall: Stall, skip: number): Promise<void> {
    const piece = new PieceBuffer();
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await stall.watch(reader.read()).catch((cause: unknown) => {
          const bytes = heldBytes(this.#file) + piece.length;
          throw this.#line.server.broken(this.#name, cause, { bytes, total: this.#file.bytes || undefined });
        });
        if (done) return;
        const skipped = Math.min(skip, value.length);
        skip -= skipped;
        for (let rest = value.subarray(skipped); rest.length > 0;) {
          rest = piece.fill(rest);
          if (piece.isFull) await this.#append(piece);
          this.#line.onBytes(this.#name, piece.length);
        }
      }
    } finally {
      await reader.cancel().catch(() => undefined);
      if (piece.length > 0) await this.#append(piece);
    }
  }

  async #append(piece: PieceBuffer): Promise<void> {
    const bytes = piece.take();
    await this.#line.model.append(this.#name, bytes);
    this.#hash?.update(bytes);
  }
}

/** Ends a request when nothing comes for too long. */
class Stall {
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  watch<T>(next: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#controller.abort(), STALL_MS);
    return next.finally(() => clearTimeout(timer));
  }
}

/** Errors that another try may not meet. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof HalaError)) return false;
  const { code, details } = error;
  return code === 'network' || (code === 'http' && (details.status === 429 || (details.status ?? 0) >= 500));
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  if (signal.aborted) throw new HalaError('aborted', 'stopped on request');
}
