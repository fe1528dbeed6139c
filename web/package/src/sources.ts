// Opens a model's files wherever they are.

import { builtIn } from './built-in.js';
import { openCached } from './cache/fill.js';
import { ChosenFiles, RemoteFiles, type ModelFiles } from './files.js';
import { Server, withHeaders, type Fetch } from './network.js';
import type { LoadData } from './protocol.js';
import type { LoadProgress } from './types.js';

/** The files of a source, by way of the cache where it is to be kept; `pageFetch` asks the page to fetch, where it wants to do so itself. */
export async function openFiles(
  data: LoadData, signal: AbortSignal, onProgress: (progress: LoadProgress) => void, pageFetch: Fetch,
): Promise<ModelFiles> {
  if (data.source.kind === 'files') return new ChosenFiles(data.source.files);
  if (data.source.kind === 'built-in') return builtIn(signal);
  const ask: Fetch = data.ownFetch ? pageFetch : (address, init) => fetch(address, init);
  const server = new Server(data.source.url, signal, { fetch: withHeaders(ask, data.headers) });
  const cached = data.cache ? await openCached({ server, sums: data.sha256, signal, onProgress }) : undefined;
  return cached ?? new RemoteFiles(server);
}
