// Whether a model fits into what the browser gives this site.

import { HalaError } from '../errors.js';
import type { KeptModel } from './kept.js';

/** What workers have of a file, and TypeScript's library for pages has not. https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle */
interface AccessHandle {
  truncate(size: number): void;
  getSize(): number;
  close(): void;
}

const ADVICE = 'delete other models (Hala.cache.delete), free space on the disk, or load with cache: false';

/**
 * Throws where what is still to come has no room. Browsers tell more than they give, so the room is taken for a moment, in the private
 * file system, where that can be had without writing.
 */
export async function checkRoom(model: KeptModel): Promise<void> {
  const { held, total } = model.size;
  const bytes = total - held;
  const told = await room();
  const available = told !== undefined && bytes > told ? told : await reserve(bytes);
  if (available === undefined || bytes <= available) return;
  const found = `${bytes} bytes are still to download, and the browser gives this site ${available} more`;
  throw new HalaError('quota-exceeded', `${found}: ${ADVICE}`, { bytes, available });
}

/** Does work that writes; tells in the package's own words when storage is full. */
export async function withRoom<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DOMException) || cause.name !== 'QuotaExceededError') throw cause;
    const available = await room();
    const details = available === undefined ? {} : { available };
    throw new HalaError('quota-exceeded', `the browser has no room left for ${folder}: ${ADVICE}`, details, { cause });
  }
}

/** Bytes that this site may still write; undefined where the browser does not say. */
async function room(): Promise<number | undefined> {
  const { quota, usage } = await navigator.storage.estimate();
  return quota === undefined || usage === undefined ? undefined : Math.max(quota - usage, 0);
}

/** Asks for room and gives it back: the bytes that could be had, up to those asked for; undefined where nobody can tell. */
async function reserve(bytes: number): Promise<number | undefined> {
  const name = `hala-room-${crypto.getRandomValues(new Uint32Array(1))}`;
  try {
    const root = await navigator.storage.getDirectory();
    const handle = (await root.getFileHandle(name, { create: true })) as FileSystemFileHandle & { createSyncAccessHandle(): Promise<AccessHandle> };
    const file = await handle.createSyncAccessHandle();
    try {
      return largest(bytes, (size) => takes(file, size));
    } finally {
      file.truncate(0);
      file.close();
      await root.removeEntry(name);
    }
  } catch {
    // No private file system here: writing will tell.
    return undefined;
  }
}

/** Whether a file can be made so large; Chromium leaves it as it was where it cannot, others throw. */
function takes(file: AccessHandle, size: number): boolean {
  try {
    file.truncate(size);
    return file.getSize() === size;
  } catch {
    return false;
  }
}

/** The largest size that can be had, to a hundredth of what is asked for. */
function largest(bytes: number, has: (size: number) => boolean): number {
  if (has(bytes)) return bytes;
  let [fits, tooLarge] = [0, bytes];
  while (tooLarge - fits > bytes / 100) {
    const half = Math.floor((fits + tooLarge) / 2);
    if (has(half)) fits = half;
    else tooLarge = half;
  }
  return fits;
}
