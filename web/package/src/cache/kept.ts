// A model as it is kept: its files in pieces, and the list of them with their sums.

import { hexadecimal } from '../hexadecimal.js';
import type { Store } from './store.js';

/** Bytes that were written at once: 32 MiB, or what had come when the line broke or the file ended. */
export interface Piece {
  bytes: number;
  /** SHA-256 in hexadecimal. */
  sha256: string;
}

/** A file, whole or in part. */
export interface KeptFile {
  /** Bytes of the whole file; 0 where the server did not say. */
  bytes: number;
  /** The server's mark of this version of the file, where it sends one. */
  etag: string | null;
  /** SHA-256 of the whole file, once it is whole. */
  sha256: string | null;
  pieces: Piece[];
}

/** What the list says. */
interface Manifest {
  version: 1;
  files: Record<string, KeptFile>;
  complete: boolean;
  lastUsed: number;
}

const MANIFEST = 'manifest.json';

/** A model on its shelf. */
export class KeptModel {
  readonly #store: Store;
  manifest: Manifest = { version: 1, files: {}, complete: false, lastUsed: Date.now() };

  private constructor(store: Store) {
    this.#store = store;
  }

  /** What is kept so far. */
  static async open(store: Store): Promise<KeptModel> {
    const model = new KeptModel(store);
    await model.refresh();
    return model;
  }

  /** Reads the list, which another page may have written; one that cannot be read counts as nothing kept. */
  async refresh(): Promise<void> {
    const bytes = await this.#store.read(MANIFEST);
    const kept = bytes && parse(new TextDecoder().decode(bytes));
    if (kept) this.manifest = kept;
  }

  /** Writes the list. */
  async save(): Promise<void> {
    await this.#store.write(MANIFEST, new TextEncoder().encode(JSON.stringify(this.manifest)));
  }

  /** The entry of a file, which is made where there is none. */
  file(name: string): KeptFile {
    return (this.manifest.files[name] ??= { bytes: 0, etag: null, sha256: null, pieces: [] });
  }

  /** Takes a file out of the list. */
  drop(name: string): void {
    delete this.manifest.files[name];
  }

  /** A piece's bytes; undefined where they are gone or are not those that were written. */
  async read(name: string, index: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const piece = this.manifest.files[name]?.pieces[index];
    const bytes = piece && (await this.#store.read(key(name, index)));
    return bytes && bytes.length === piece.bytes && (await sum(bytes)) === piece.sha256 ? bytes : undefined;
  }

  /** Keeps the next piece of a file. */
  async append(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { pieces } = this.file(name);
    await this.#store.write(key(name, pieces.length), bytes);
    pieces.push({ bytes: bytes.length, sha256: await sum(bytes) });
    await this.save();
  }

  /** Puts a piece back that was damaged; false where these bytes are others. */
  async replace(name: string, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    if ((await sum(bytes)) !== this.file(name).pieces[index]?.sha256) return false;
    await this.#store.write(key(name, index), bytes);
    return true;
  }

  /** Bytes that are kept, and bytes of all files that are known of. */
  get size(): { held: number; total: number } {
    const files = Object.values(this.manifest.files);
    const held = files.reduce((all, file) => all + heldBytes(file), 0);
    return { held, total: files.reduce((all, file) => all + Math.max(file.bytes, heldBytes(file)), 0) };
  }
}

/** Bytes of a file that are kept. */
export function heldBytes(file: KeptFile): number {
  return file.pieces.reduce((all, piece) => all + piece.bytes, 0);
}

/** Whether a server's file is another version than the one of which parts are kept. */
export function isOther(kept: KeptFile, now: Pick<KeptFile, 'bytes' | 'etag'>): boolean {
  const etagDiffers = now.etag !== null && kept.etag !== null && now.etag !== kept.etag;
  return etagDiffers || (now.bytes > 0 && kept.bytes > 0 && now.bytes !== kept.bytes);
}

function key(name: string, index: number): string {
  return `${name} ${index}`;
}

async function sum(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return hexadecimal(await crypto.subtle.digest('SHA-256', bytes));
}

/** The list; undefined where it is damaged or of another version. */
function parse(json: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(json) as Manifest;
    return manifest.version === 1 && typeof manifest.files === 'object' ? manifest : undefined;
  } catch {
    return undefined;
  }
}
