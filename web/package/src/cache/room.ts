// Whether a model fits into what the browser gives this site.

import { HalaError } from '../errors.js';
import type { KeptModel } from './kept.js';

const ADVICE = 'delete other models (Hala.cache.delete), free space on the disk, or load with cache: false';

/** Throws where what is still to come has no room. */
export async function checkRoom(model: KeptModel): Promise<void> {
  const { held, total } = model.size;
  const bytes = total - held;
  const available = await room();
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
