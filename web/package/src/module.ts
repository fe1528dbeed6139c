// The WebAssembly module: for one thread or a GPU, or for several threads where the page is isolated from others.

import initOne, * as oneThread from '../wasm/hala_wasm/hala_wasm.js';
import type { Cancel, Runtime } from '../wasm/hala_wasm/hala_wasm.js';
import { HalaError } from './errors.js';
import { startThreads } from './threads.js';
import type { BackendName } from './types.js';

/** A module that was started. */
export interface Module {
  Cancel: new () => Cancel;
  Runtime: typeof Runtime;
  memory: WebAssembly.Memory;
  /** Threads that compute, this worker's among them. */
  threads: number;
}

/** From so many cores on some are slow, or two are one that does two things: half of them are used. */
const MANY_CORES = 5;
/** More threads wait for memory and for each other. */
const MAX_THREADS = 8;

/** Threads to compute with, where nobody asks for another number. */
function threadsOf(cores: number): number {
  return cores < MANY_CORES ? cores : Math.min(MAX_THREADS, Math.ceil(cores / 2));
}

/**
 * Starts the module that suits the backend. Several threads need memory that workers share, which browsers allow in pages that are
 * isolated from others; elsewhere, and where a thread cannot be started, one does the work.
 */
export async function startModule(backend: BackendName, asked: number | null): Promise<Module> {
  if (asked !== null && !(Number.isInteger(asked) && asked > 0)) {
    throw new HalaError('invalid-request', `threads: ${asked} is no number of threads; it is a whole number from 1`);
  }
  const threads = asked ?? threadsOf(navigator.hardwareConcurrency);
  if (backend === 'wasm' && threads > 1 && self.crossOriginIsolated) {
    try {
      return await startThreads(threads);
    } catch (cause) {
      console.warn('hala: one thread does the work:', cause);
    }
  }
  const { memory } = await initOne({ module_or_path: new URL('./hala_wasm_bg.wasm', import.meta.url) });
  return { Cancel: oneThread.Cancel, Runtime: oneThread.Runtime, memory, threads: 1 };
}
