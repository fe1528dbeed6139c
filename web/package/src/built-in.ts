// The model that comes with the package: small files in the worker's own, the others beside it.

import { readAll, RemoteFiles, type ModelFiles } from './files.js';
import { Server } from './network.js';

/** The small files' texts by name, which the build puts here: bundlers make data: addresses of small files, which policies forbid. */
declare const BUILT_IN: Readonly<Record<string, string>>;

/** The others, each in the form by which bundlers find files and rename them. */
const LARGE: Readonly<Record<string, string>> = {
  'model.safetensors': new URL('./model/model.safetensors', import.meta.url).href,
  'tokenizer.json': new URL('./model/tokenizer.json', import.meta.url).href,
};

/**
 * The built-in model's files. The weights are fetched whole: they are small, a browser keeps them as one file, and a service
 * worker that keeps them too has them from there. Parts that Chromium kept of such a file came out damaged when it put them together.
 */
export function builtIn(signal: AbortSignal): ModelFiles {
  const server = new Server(import.meta.url, signal, { elsewhere: LARGE });
  const remote = new RemoteFiles(server);
  let weights: Promise<Blob> | undefined;
  const blobOf = (name: string) => (weights ??= server.get(name).then((response) => response.blob().catch((cause: unknown) => {
    throw server.broken(name, cause);
  })));
  return {
    async get(name) {
      const text = BUILT_IN[name];
      if (text !== undefined) return new TextEncoder().encode(text);
      return name in LARGE ? remote.get(name) : undefined;
    },
    size: async (name) => (await blobOf(name)).size,
    read: async (name, start, end) => readAll((await blobOf(name)).slice(start, end), end - start),
  };
}
