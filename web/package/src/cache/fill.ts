// Brings a model from its address into the cache, once however many pages ask.

import { HalaError } from '../errors.js';
import { SIDE_FILES, type ModelFiles } from '../files.js';
import type { Server } from '../network.js';
import type { LoadProgress } from '../types.js';
import { CachedFiles } from './cached-files.js';
import { download, type Line } from './download.js';
import { listHub } from './hub.js';
import { isOther, KeptModel } from './kept.js';
import { Pace } from './pace.js';
import { checkRoom, withRoom } from './room.js';
import { findShelves, type Store } from './store.js';

/** What to bring, and whom to tell. */
export interface Order {
  server: Server;
  /** SHA-256 of files by name, as the page knows them. */
  sums: Readonly<Record<string, string>>;
  signal: AbortSignal;
  onProgress: (progress: LoadProgress) => void;
}

/** Often enough for a bar to move smoothly. */
const REPORT_MS = 100;
const WATCH_MS = 500;
/** Bytes of a file that is fetched again rather than trusted. */
const CHEAP = 1_000_000;
const INDEX = 'model.safetensors.index.json';

/** The model's files by way of the cache; undefined where this browser keeps nothing. */
export async function openCached(order: Order): Promise<ModelFiles | undefined> {
  const { base } = order.server;
  const [shelf] = await findShelves();
  if (!shelf) return undefined;
  const store = await shelf.open(base);
  const model = await KeptModel.open(store);
  const filling = new Filling(model, order);
  const inTurn = (work: () => Promise<void>) => withRoom(base, () => alone(order, store, async () => {
    await model.refresh();
    try {
      if (!filling.isWhole) await work();
      model.manifest.lastUsed = Date.now();
      await model.save();
    } finally {
      if (model.size.held === 0) await shelf.delete(base);
    }
  }));
  await inTurn(() => filling.sideFiles());
  return new CachedFiles(model, order.server, () => inTurn(() => filling.weights()));
}

/** Does the work while no other page does; tells how far the other is meanwhile. */
async function alone(order: Order, store: Store, work: () => Promise<void>): Promise<void> {
  if (!('locks' in navigator)) return work();
  const { signal, server } = order;
  const watch = setInterval(() => void reportOther(order, store), WATCH_MS);
  try {
    await navigator.locks.request(`hala ${server.base}`, { signal }, () => {
      clearInterval(watch);
      return work();
    });
  } finally {
    clearInterval(watch);
  }
}

async function reportOther({ onProgress, server }: Order, store: Store): Promise<void> {
  const { held, total } = (await KeptModel.open(store)).size;
  if (total > 0) onProgress({ phase: 'download', name: server.base, loaded: held, total, bytesPerSecond: 0 });
}

/** The two parts of a download: what tells of the model, then its weights. */
class Filling {
  readonly #model: KeptModel;
  readonly #order: Order;
  readonly #line: Line;
  #listing: Promise<Map<string, string | undefined> | undefined> | undefined;

  constructor(model: KeptModel, order: Order) {
    this.#model = model;
    this.#order = order;
    this.#line = { server: order.server, model, signal: order.signal, onBytes: reporter(model, order) };
  }

  /** Whether all is there, with the sums that the page knows. */
  get isWhole(): boolean {
    const { complete, files } = this.#model.manifest;
    return complete && Object.entries(this.#order.sums).every(([name, sum]) => files[name]?.sha256 === sum.toLowerCase());
  }

  /** Makes the small files whole that the server has, and finds out how large the others are as soon as it is known which there are. */
  async sideFiles(): Promise<void> {
    this.#model.manifest.complete = false;
    const listing = await this.#list();
    await this.#dropOld();
    // Without one it is no model, which whoever reads the files says.
    if (!(await this.#get('config.json'))) return;
    for (const name of SIDE_FILES) {
      if (!listing || listing.has(name)) await this.#get(name);
      if (name === INDEX) await this.#announceWeights();
    }
  }

  /** Makes the weight files whole, for which there must be room. */
  async weights(): Promise<void> {
    await checkRoom(this.#model);
    for (const name of await this.#weightFiles()) {
      if (await this.#get(name)) continue;
      throw new HalaError('missing-file', `${name} is not at ${this.#order.server.base}: check the address`, { name });
    }
    this.#model.manifest.complete = true;
  }

  #list(): Promise<Map<string, string | undefined> | undefined> {
    return (this.#listing ??= listHub(this.#order.server, this.#order.signal));
  }

  /** Forgets small files of which the server has another version now: an incomplete model may be so because of them. */
  async #dropOld(): Promise<void> {
    await Promise.all(SIDE_FILES.filter((name) => name in this.#model.manifest.files).map(async (name) => {
      const now = await this.#order.server.version(name).catch(() => undefined);
      const kept = this.#model.file(name);
      // A server that marks no versions may have mended a file without changing its length.
      const isSure = now?.etag !== null && kept.etag !== null;
      if (now && (isOther(kept, now) || (!isSure && kept.bytes <= CHEAP))) this.#model.drop(name);
    }));
  }

  async #get(name: string): Promise<boolean> {
    const isThere = await download(this.#line, name, this.#order.sums[name] ?? (await this.#list())?.get(name));
    if (isThere && name.endsWith('.json')) await this.#checkJson(name);
    return isThere;
  }

  /** A file that is no JSON, such as a page that a server sends for every address, is not kept. */
  async #checkJson(name: string): Promise<void> {
    const { pieces } = this.#model.file(name);
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    const text = new TextDecoder().decode(await joined(await Promise.all(pieces.map((_, index) => this.#model.read(name, index)))));
    try {
      JSON.parse(text);
    } catch (cause) {
      this.#model.drop(name);
      await this.#model.save();
      const isPage = /^\s*</.test(text);
      const found = isPage ? 'a web page' : `${bytes} bytes that are no JSON`;
      const code = isPage ? 'http' : 'damaged-model';
      throw new HalaError(code, `${name} at ${this.#order.server.base} is ${found}: check the address, or try again later`, { name, bytes }, { cause });
    }
  }

  /** The names that the index tells of, or that of the only one. */
  async #weightFiles(): Promise<string[]> {
    const index = await this.#model.read(INDEX, 0);
    if (!index) return ['model.safetensors'];
    try {
      const { weight_map } = JSON.parse(new TextDecoder().decode(index)) as { weight_map: Record<string, string> };
      return [...new Set(Object.values(weight_map))].sort();
    } catch (cause) {
      throw new HalaError('damaged-model', `${INDEX} has no weight_map: the model is damaged`, { name: INDEX }, { cause });
    }
  }

  /** Notes how large the weight files are, so that room and progress are known from the start; forgets parts of other versions. */
  async #announceWeights(): Promise<void> {
    for (const name of await this.#weightFiles()) {
      const version = await this.#order.server.version(name);
      if (isOther(this.#model.file(name), version)) this.#model.drop(name);
      Object.assign(this.#model.file(name), version);
    }
  }
}

/** Pieces as one; those that are gone are left out. */
function joined(pieces: readonly (Uint8Array<ArrayBuffer> | undefined)[]): Promise<ArrayBuffer> {
  return new Blob(pieces.filter((piece) => piece !== undefined)).arrayBuffer();
}

/** Tells of bytes every so often, and of the last ones at once, before loading goes on. */
function reporter(model: KeptModel, { onProgress }: Order): Line['onBytes'] {
  const pace = new Pace();
  let latest: LoadProgress;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const send = () => {
    clearTimeout(timer);
    timer = undefined;
    onProgress(latest);
  };
  return (name, pending) => {
    const { held, total } = model.size;
    const loaded = held + pending;
    pace.note(performance.now(), loaded);
    latest = { phase: 'download', name, loaded, total: Math.max(total, loaded), bytesPerSecond: pace.perSecond };
    if (loaded >= total) send();
    else timer ??= setTimeout(send, REPORT_MS);
  };
}
