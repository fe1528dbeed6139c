// What is kept for later visits, as pages see it.

import { folderOf } from '../address.js';
import type { CachedModel, ModelCache } from '../types.js';
import { KeptModel } from './kept.js';
import { findShelves, type Shelf } from './store.js';

/** The models that this origin keeps. */
export const modelCache: ModelCache = {
  async list() {
    const shelves = await findShelves();
    return (await Promise.all(shelves.map(listShelf))).flat();
  },

  async delete(model) {
    const folder = folderOf(model).href;
    const deleted = await Promise.all((await findShelves()).map((shelf) => shelf.delete(folder)));
    return deleted.includes(true);
  },

  async size() {
    return (await modelCache.list()).reduce((all, { bytes }) => all + bytes, 0);
  },
};

async function listShelf(shelf: Shelf): Promise<CachedModel[]> {
  return Promise.all((await shelf.folders()).map(async (url) => {
    const model = await KeptModel.open(await shelf.open(url));
    const { held, total } = model.size;
    return { url, bytes: held, totalBytes: total, complete: model.manifest.complete, lastUsed: model.manifest.lastUsed };
  }));
}
