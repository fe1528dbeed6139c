// Opens a model's files wherever they are.

import { builtIn } from './built-in.js';
import { openCached } from './cache/fill.js';
import { ChosenFiles, RemoteFiles, type ModelFiles } from './files.js';
import { Server } from './network.js';
import type { LoadData } from './protocol.js';
import type { LoadProgress } from './types.js';

/** The files of a source, by way of the cache where it is to be kept. */
export async function openFiles(
  data: LoadData, signal: AbortSignal, onProgress: (progress: LoadProgress) => void,
): Promise<ModelFiles> {
  if (data.source.kind === 'files') return new ChosenFiles(data.source.files);
  if (data.source.kind === 'built-in') return builtIn(signal);
  const server = new Server(data.source.url, signal);
  const cached = data.cache ? await openCached({ server, sums: data.sha256, signal, onProgress }) : undefined;
  return cached ?? new RemoteFiles(server);
}
