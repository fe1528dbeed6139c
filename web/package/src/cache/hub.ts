// What the Hugging Face Hub tells of a model's files before they are fetched: which there are, and SHA-256 of the large ones.
// https://huggingface.co/docs/hub/api: GET /api/models/{owner}/{name}/tree/{revision}

import { HalaError } from '../errors.js';
import type { Server } from '../network.js';

interface TreeEntry {
  type: string;
  path: string;
  /** Of files in Git's large file storage; others are told apart by Git's own hash. */
  lfs?: { oid: string };
}

/** SHA-256 of a folder's files by name, where known; undefined where its server is no Hub, or does not answer as one. */
export async function listHub({ base, fetch }: Server, signal: AbortSignal): Promise<Map<string, string | undefined> | undefined> {
  const { origin, pathname } = new URL(base);
  const [, owner, name, revision] = /^\/([^/]+)\/([^/]+)\/resolve\/([^/]+)\/$/.exec(pathname) ?? [];
  if (!revision) return undefined;
  try {
    const response = await fetch(`${origin}/api/models/${owner}/${name}/tree/${revision}`, { signal });
    if (!response.ok) return undefined;
    const entries = (await response.json()) as TreeEntry[];
    const files = entries.filter(({ type }) => type === 'file');
    return new Map(files.map(({ path, lfs }) => [path, lfs?.oid]));
  } catch {
    // A listing only helps: what is wrong with the server shows when the files themselves are asked for.
    if (signal.aborted) throw new HalaError('aborted', 'stopped on request');
    return undefined;
  }
}
