// The module for several threads: starts it in this worker and in more of its kind, which lend it theirs.

import initThreads, * as severalThreads from '../wasm/hala_wasm_threads/hala_wasm_threads.js';
import type { Runtime } from '../wasm/hala_wasm/hala_wasm.js';

/** What a worker is sent that is to lend its thread. */
export interface Lending {
  lend: { module: WebAssembly.Module; memory: WebAssembly.Memory };
}

/** Starts the module on so many threads, this worker's among them; rejects where one of them cannot be had. */
export async function startThreads(threads: number) {
  const url = new URL('./hala_wasm_threads_bg.wasm', import.meta.url);
  // Servers that do not name the type of the file keep it from being compiled as it comes.
  const module = await WebAssembly.compileStreaming(fetch(url))
    .catch(async () => WebAssembly.compile(await (await fetch(url)).arrayBuffer()));
  const { memory } = await initThreads({ module_or_path: module });
  // More of this very file; they end with this worker.
  const workers = Array.from({ length: threads - 1 }, () => new Worker(self.location.href, { type: isClassic() ? 'classic' : 'module', name: 'hala-thread' }));
  try {
    await Promise.all(workers.map((worker) => lent(worker, { lend: { module, memory } })));
  } catch (cause) {
    for (const worker of workers) worker.terminate();
    throw cause;
  }
  return { Cancel: severalThreads.Cancel, Runtime: severalThreads.Runtime as unknown as typeof Runtime, memory, threads };
}

/**
 * Whether this worker was started as a classic script, as some bundlers do. Module workers refuse `importScripts` itself, by a TypeError, and
 * classic ones only what is no address; Firefox's module workers refuse it only where it is given something.
 */
function isClassic(): boolean {
  try {
    (self as unknown as { importScripts(...urls: string[]): void }).importScripts('http://[');
    return true;
  } catch (error) {
    return !(error instanceof TypeError);
  }
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
