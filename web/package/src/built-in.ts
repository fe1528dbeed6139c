// The model that comes with the package: small files in the worker's own, the others beside it.

import { RemoteFiles, type ModelFiles } from './files.js';
import { Server } from './network.js';

/** The small files' texts by name, which the build puts here: bundlers make data: addresses of small files, which policies forbid. */
declare const BUILT_IN: Readonly<Record<string, string>>;

/** The others, each in the form by which bundlers find files and rename them. */
const LARGE: Readonly<Record<string, string>> = {
  'model.safetensors': new URL('./model/model.safetensors', import.meta.url).href,
  'tokenizer.json': new URL('./model/tokenizer.json', import.meta.url).href,
};

/** The built-in model's files. */
export function builtIn(signal: AbortSignal): ModelFiles {
  const server = new Server(import.meta.url, signal, LARGE);
  const remote = new RemoteFiles(server);
  return {
    async get(name) {
      const text = BUILT_IN[name];
      if (text !== undefined) return new TextEncoder().encode(text);
      return name in LARGE ? remote.get(name) : undefined;
    },
    size: (name) => remote.size(name),
    read: (name, start, end) => remote.read(name, start, end),
  };
}
