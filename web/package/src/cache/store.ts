// Where bytes are kept for later visits: the Cache API, or the origin's private file system.

import { hexadecimal } from '../hexadecimal.js';

/** What is kept of one model, by keys. */
export interface Store {
  /** Undefined where nothing is kept under this key. */
  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Throws a `QuotaExceededError` where there is no room. */
  write(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** What is kept of all models, by the folders that they came from. */
export interface Shelf {
  open(folder: string): Promise<Store>;
  folders(): Promise<string[]>;
  /** False where nothing is kept of this folder. */
  delete(folder: string): Promise<boolean>;
}

/** Every shelf of this browser, the preferred one first; none outside a secure context or where the user forbids storage. */
export async function findShelves(): Promise<Shelf[]> {
  const shelves: Shelf[] = [];
  if (typeof caches !== 'undefined') shelves.push(new CacheShelf());
  if (navigator.storage && 'getDirectory' in navigator.storage) shelves.push(new FileShelf());
  const usable = await Promise.all(shelves.map(isUsable));
  return shelves.filter((_, i) => usable[i]);
}

/** Browsers offer storage that they then refuse, in private windows for one. */
async function isUsable(shelf: Shelf): Promise<boolean> {
  try {
    await shelf.folders();
    return true;
  } catch {
    return false;
  }
}

/** One cache for each model. */
class CacheShelf implements Shelf {
  static readonly #PREFIX = 'hala ';

  async open(folder: string): Promise<Store> {
    const cache = await caches.open(CacheShelf.#PREFIX + folder);
    // Keys of a cache are addresses; these are never fetched.
    const address = (key: string) => `https://cache.invalid/${encodeURIComponent(key)}`;
    return {
      read: async (key) => {
        const kept = await cache.match(address(key));
        return kept && new Uint8Array(await kept.arrayBuffer());
      },
      write: (key, bytes) => cache.put(address(key), new Response(bytes)),
    };
  }

  async folders(): Promise<string[]> {
    const names = (await caches.keys()).filter((name) => name.startsWith(CacheShelf.#PREFIX));
    return names.map((name) => name.slice(CacheShelf.#PREFIX.length));
  }

  delete(folder: string): Promise<boolean> {
    return caches.delete(CacheShelf.#PREFIX + folder);
  }
}

/** One directory for each model, which holds its address in a file of this name, because directories cannot be named by it. */
const ADDRESS = 'address';

class FileShelf implements Shelf {
  async open(folder: string): Promise<Store> {
    const directory = await (await root()).getDirectoryHandle(await nameOf(folder), { create: true });
    await writeFile(directory, ADDRESS, new TextEncoder().encode(folder));
    return {
      read: (key) => readFile(directory, encodeURIComponent(key)),
      write: (key, bytes) => writeFile(directory, encodeURIComponent(key), bytes),
    };
  }

  async folders(): Promise<string[]> {
    const addresses: string[] = [];
    for await (const entry of (await root()).values()) {
      const address = entry.kind === 'directory' ? await readFile(entry, ADDRESS) : undefined;
      if (address) addresses.push(new TextDecoder().decode(address));
    }
    return addresses;
  }

  async delete(folder: string): Promise<boolean> {
    try {
      await (await root()).removeEntry(await nameOf(folder), { recursive: true });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
}

async function root(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle('hala', { create: true });
}

async function nameOf(folder: string): Promise<string> {
  return hexadecimal(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(folder)));
}

async function readFile(directory: FileSystemDirectoryHandle, name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const file = await (await directory.getFileHandle(name)).getFile();
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** A file appears whole or not at all, because a writable replaces it when it is closed. */
async function writeFile(directory: FileSystemDirectoryHandle, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
  try {
    await writable.write(bytes);
  } catch (error) {
    await writable.abort();
    throw error;
  }
  await writable.close();
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError';
}
