// The WebAssembly module: for one thread or a GPU, or for several threads where the page is isolated from others.

import initOne, * as oneThread from '../wasm/hala_wasm.js';
import initThreads, * as severalThreads from '../wasm/hala_wasm_threads.js';
import type { Cancel, Runtime } from '../wasm/hala_wasm.js';
import { HalaError } from './errors.js';
import type { BackendName } from './types.js';

/** A module that was started. */
export interface Module {
  Cancel: new () => Cancel;
  Runtime: typeof Runtime;
  memory: WebAssembly.Memory;
  /** Threads that compute, this worker's among them. */
  threads: number;
}

/** What a worker is sent that is to lend its thread. */
export interface Lending {
  lend: { module: WebAssembly.Module; memory: WebAssembly.Memory };
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
      console.warn('hala: no threads in this browser', cause);
    }
  }
  const { memory } = await initOne({ module_or_path: new URL('./hala_wasm_bg.wasm', import.meta.url) });
  return { Cancel: oneThread.Cancel, Runtime: oneThread.Runtime, memory, threads: 1 };
}

async function startThreads(threads: number): Promise<Module> {
  const url = new URL('./hala_wasm_threads_bg.wasm', import.meta.url);
  // Servers that do not name the type of the file keep it from being compiled as it comes.
  const module = await WebAssembly.compileStreaming(fetch(url))
    .catch(async () => WebAssembly.compile(await (await fetch(url)).arrayBuffer()));
  const { memory } = await initThreads({ module_or_path: module });
  // More of this very file; they end with this worker.
  const workers = Array.from({ length: threads - 1 }, () => new Worker(self.location.href, { type: 'module', name: 'hala-thread' }));
  try {
    await Promise.all(workers.map((worker) => lent(worker, { lend: { module, memory } })));
  } catch (cause) {
    for (const worker of workers) worker.terminate();
    throw cause;
  }
  return { Cancel: severalThreads.Cancel, Runtime: severalThreads.Runtime as unknown as typeof Runtime, memory, threads };
}

/** Resolves once a worker has its thread ready to be lent. */
function lent(worker: Worker, lending: Lending): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message || 'a worker cannot be started'));
    };
    worker.postMessage(lending);
  });
}

/** Lends this worker's thread, for as long as the worker lives: what follows is never reached. */
export async function lendThread({ lend: { module, memory } }: Lending): Promise<never> {
  await initThreads({ module_or_path: module, memory });
  self.postMessage(null);
  return severalThreads.lendThread() as never;
}
