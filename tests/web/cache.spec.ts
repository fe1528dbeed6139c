// Models from a hub: kept in pieces, resumed, checked, shared between pages, and there when the hub is not.

import { expect, test, type Page } from '@playwright/test';
import type * as HalaWeb from '../../web/package/src/index.ts';
import { open } from './open.ts';

const HUB = 'http://localhost:8131';
const GREETING = 'صباح الخير';
const REST = { file: 'model.safetensors', isBody: true };

interface Request {
  file: string;
  start: number;
  bytes: number;
  isBody: boolean;
}

/** A repository of this test's own, whose owner names what goes wrong. */
const repository = (owner: string) => `${HUB}/${owner}/${crypto.randomUUID()}/resolve/main`;

async function requests(model: string): Promise<Request[]> {
  return (await fetch(`${HUB}/log/${model.split('/')[4]}`)).json() as Promise<Request[]>;
}

/** Where the hub is told that a fault of this repository may happen. */
const go = (model: string) => `${HUB}/go/${model.split('/')[4]}`;

const bodies = async (model: string) => (await requests(model)).filter((request) => request.isBody);

interface Found {
  /** The greeting's translation, or the error's code. */
  result: string;
  message: string;
  details: HalaWeb.HalaErrorDetails;
  progress: HalaWeb.LoadProgress[];
}

interface Options extends Pick<HalaWeb.LoadOptions, 'sha256' | 'cache'> {
  model: string;
  /** Bytes after which loading is stopped. */
  stopAt?: number;
  /** Bytes after which the hub is told to go on, and its address for that. */
  goAt?: readonly [number, string];
}

/** Loads a model and translates the greeting. */
const load = (page: Page, options: Options): Promise<Found> =>
  page.evaluate(async ({ stopAt, goAt, text, ...options }) => {
    const { Hala, HalaError } = window.HalaWeb;
    const progress: HalaWeb.LoadProgress[] = [];
    const stop = new AbortController();
    const onProgress = (now: HalaWeb.LoadProgress) => {
      progress.push(now);
      if (now.phase !== 'download') return;
      if (stopAt !== undefined && now.loaded >= stopAt) stop.abort();
      if (goAt !== undefined && now.loaded >= goAt[0]) void fetch(goAt[1]);
    };
    try {
      const hala = await Hala.load({ backend: 'wasm', signal: stop.signal, onProgress, ...options });
      const { text: result } = await hala.translate({ text });
      hala.dispose();
      return { result, message: '', details: {}, progress };
    } catch (error) {
      if (!(error instanceof HalaError)) throw error;
      return { result: error.code, message: error.message, details: error.details, progress };
    }
  }, { text: GREETING, ...options });

const list = (page: Page) => page.evaluate(() => window.HalaWeb.Hala.cache.list());

test.beforeEach(({ page }) => open(page));

test('a model is downloaded once, and then loads without its server', async ({ page }) => {
  const model = repository('plain');
  const first = await load(page, { model });
  expect(first.result).toBe('Good morning.');
  const downloads = first.progress.filter(({ phase }) => phase === 'download');
  expect(downloads.at(-1)).toMatchObject({ loaded: downloads.at(-1)?.total });
  expect(downloads.every(({ loaded }, i) => i === 0 || loaded >= downloads[i - 1]!.loaded)).toBe(true);
  const kept = await list(page);
  expect(kept).toMatchObject([{ url: `${model}/`, complete: true, bytes: downloads.at(-1)?.total }]);
  expect(await page.evaluate(() => window.HalaWeb.Hala.cache.size())).toBe(kept[0]?.bytes);

  const asked = (await requests(model)).length;
  await page.route(`${HUB}/**`, (route) => route.abort());
  const second = await load(page, { model });
  expect(second.result).toBe('Good morning.');
  expect(second.progress.every(({ phase }) => phase === 'load')).toBe(true);
  expect((await requests(model)).length).toBe(asked);

  expect(await page.evaluate((model) => window.HalaWeb.Hala.cache.delete(model), model)).toBe(true);
  expect(await page.evaluate((model) => window.HalaWeb.Hala.cache.delete(model), model)).toBe(false);
  expect(await list(page)).toEqual([]);
  expect((await load(page, { model })).result).toBe('network');
  expect(await list(page)).toEqual([]);
});

test('with cache: false nothing is kept', async ({ page }) => {
  const model = repository('plain');
  expect((await load(page, { model, cache: false })).result).toBe('Good morning.');
  expect(await list(page)).toEqual([]);
});

test('a line that breaks half way is taken up again where it broke', async ({ page }) => {
  const model = repository('break');
  expect((await load(page, { model, goAt: [3_000_000, go(model)] })).result).toBe('Good morning.');
  const [whole, rest, ...more] = await bodies(model);
  expect(more).toEqual([]);
  expect(rest).toEqual({ ...REST, start: expect.any(Number), bytes: whole!.bytes - rest!.start });
  expect(rest!.start).toBeGreaterThan(0);
});

test('a stopped download goes on in a later visit', async ({ page, context }) => {
  const model = repository('slow');
  const stopped = await load(page, { model, stopAt: 3_000_000 });
  expect(stopped.result).toBe('aborted');
  const [part] = await list(page);
  expect(part).toMatchObject({ complete: false });
  expect(part!.bytes).toBeGreaterThan(3_000_000);
  expect(part!.totalBytes).toBeGreaterThan(part!.bytes);
  await page.close();

  const later = await context.newPage();
  await open(later);
  const again = await load(later, { model, stopAt: part!.bytes + 100_000 });
  expect(again.result).toBe('aborted');
  expect(again.progress.find(({ phase }) => phase === 'download')!.loaded).toBeGreaterThan(part!.bytes - 1_000_000);
  const [first, second] = await bodies(model);
  expect(second!.start).toBeGreaterThan(0);
  expect(second!.start + second!.bytes).toBe(first!.bytes);
});

test('a cache that is deleted during a download takes nothing from the model', { tag: '@long' }, async ({ page }) => {
  const model = repository('break');
  const loading = load(page, { model });
  await expect.poll(async () => (await list(page))[0]?.bytes ?? 0).toBeGreaterThan(3_000_000);
  await page.evaluate(async () => { for (const name of await caches.keys()) await caches.delete(name); });
  await fetch(go(model));
  expect((await loading).result).toBe('Good morning.');
  expect((await load(page, { model })).result).toBe('Good morning.');
});

test('a file whose sum is wrong is fetched once more, and never used', async ({ page }) => {
  const once = repository('wrong');
  expect((await load(page, { model: once })).result).toBe('Good morning.');
  expect((await bodies(once)).length).toBe(2);
  const always = repository('damaged');
  expect((await load(page, { model: always })).result).toBe('corrupt-download');
  expect((await list(page)).find(({ url }) => url === `${always}/`)?.complete).toBe(false);
});

test('sums that the page knows are checked where the server tells none', async ({ page }) => {
  const model = repository('unlisted');
  const wrong = { 'model.safetensors': '0'.repeat(64) };
  expect((await load(page, { model, sha256: wrong })).result).toBe('corrupt-download');
  expect((await load(page, { model })).result).toBe('Good morning.');
  expect((await load(page, { model, sha256: wrong })).result).toBe('corrupt-download');
});

test('a file that changes on the server while it is downloaded is fetched anew', async ({ page }) => {
  const model = repository('changed');
  expect((await load(page, { model })).result).toBe('Good morning.');
  const all = await bodies(model);
  expect(all.at(-1)!.start).toBe(0);
});

test('a piece that was damaged in the cache is fetched again', async ({ page }) => {
  const model = repository('plain');
  await load(page, { model });
  await page.evaluate(async () => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const key of await cache.keys()) {
        if (key.url.includes('safetensors%200')) await cache.put(key, new Response('short'));
        if (key.url.includes('tokenizer.json')) await cache.delete(key);
      }
    }
  });
  const before = (await bodies(model)).length;
  expect((await load(page, { model })).result).toBe('Good morning.');
  expect((await bodies(model)).length).toBe(before + 1);
  await page.route(`${HUB}/**`, (route) => route.abort());
  expect((await load(page, { model })).result).toBe('Good morning.');
});

test('a list that was damaged counts as nothing kept', async ({ page }) => {
  const model = repository('plain');
  await load(page, { model });
  await page.evaluate(async () => {
    for (const name of await caches.keys()) await (await caches.open(name)).put('https://cache.invalid/manifest.json', new Response('{"ver'));
  });
  expect(await list(page)).toMatchObject([{ bytes: 0, complete: false }]);
  expect((await load(page, { model })).result).toBe('Good morning.');
});

test('a line that brings nothing any more is taken up again, and two pages download a model once', async ({ page, context }) => {
  const model = repository('stall');
  const other = await context.newPage();
  await open(other);
  const results = await Promise.all([load(page, { model }), load(other, { model })]);
  expect(results.map(({ result }) => result)).toEqual(['Good morning.', 'Good morning.']);
  // The first body stalls and is taken up again; the other page only waits, and tells how far it is.
  expect((await bodies(model)).length).toBe(2);
  for (const { progress } of results) expect(progress.some(({ phase }) => phase === 'download')).toBe(true);
});

test('a model that has no room is refused before it is downloaded', async ({ page }) => {
  await open(page, '/crowded/');
  const model = repository('plain');
  const found = await load(page, { model });
  expect(found).toMatchObject({ result: 'quota-exceeded', details: { available: 1_000_000 } });
  expect(found.details.bytes).toBeGreaterThan(9_000_000);
  expect(await bodies(model)).toEqual([]);
});

test('room that a browser tells of and does not give is found out before the download', async ({ page }) => {
  const model = repository('plain');
  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  // Browsers do not tell of this limit, but keep to it.
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 6_000_000 });
  const refused = await load(page, { model });
  expect(refused.result).toBe('quota-exceeded');
  // What browsers tell is more than what they give: the room was tried, and nothing was fetched in vain.
  expect(refused.details.available).toBeLessThan(6_000_000);
  expect(await bodies(model)).toEqual([]);
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  expect((await load(page, { model })).result).toBe('Good morning.');
});

test('servers without ranges, and those that refuse, are told apart', async ({ page }) => {
  expect((await load(page, { model: repository('norange') })).result).toBe('Good morning.');
  expect((await load(page, { model: repository('broken') })).result).toBe('network');
  const refused = await load(page, { model: repository('private') });
  expect(refused).toMatchObject({ result: 'unauthorized', details: { status: 401 } });
});

test('where there is no Cache API the origin\'s files serve', async ({ page }) => {
  await open(page, '/nocache/');
  const model = repository('plain');
  expect((await load(page, { model })).result).toBe('Good morning.');
  expect(await list(page)).toMatchObject([{ url: `${model}/`, complete: true }]);
  await page.route(`${HUB}/**`, (route) => route.abort());
  expect((await load(page, { model })).result).toBe('Good morning.');
  expect(await page.evaluate((model) => window.HalaWeb.Hala.cache.delete(model), model)).toBe(true);
  expect(await list(page)).toEqual([]);
});

test('a small file that is no JSON is never kept, and is right at the next try', async ({ page }) => {
  for (const [owner, code, words] of [['cutconfig', 'damaged-model', /config\.json at http.* bytes that are no JSON/], ['spa', 'http', /tokenizer_config\.json at http.* a web page/]] as const) {
    const model = repository(owner);
    const first = await load(page, { model });
    expect(first.result, owner).toBe(code);
    expect(first.message).toMatch(words);
    expect((await load(page, { model })).result, owner).toBe('Good morning.');
  }
});

test('a model that was refused is looked at again', async ({ page }) => {
  const model = repository('noconfig');
  expect((await load(page, { model })).result).toBe('unsupported-model');
  expect((await load(page, { model })).result).toBe('Good morning.');
});

test('a file that ends too early is told with what came of it', async ({ page }) => {
  const model = repository('dead');
  const { result, message } = await load(page, { model, goAt: [1_000_000, `${HUB}/go/${model.split('/')[4]}`] });
  expect(result).toBe('network');
  expect(message).toMatch(/model\.safetensors .* ended at \d+ of \d+ bytes/);
  expect(message).not.toContain('CORS');
});

test('a token or a header is sent to the model\'s server, and the page may fetch by itself', async ({ page }) => {
  const model = repository('locked');
  expect((await load(page, { model })).result).toBe('unauthorized');
  const found = await page.evaluate(async (model) => {
    const { Hala } = window.HalaWeb;
    const text = 'صباح الخير';
    const byToken = await Hala.load({ model, backend: 'wasm', token: 'good-token', cache: false });
    const first = await byToken.translate({ text });
    byToken.dispose();
    const asked: string[] = [];
    const own = (address: RequestInfo | URL, init?: RequestInit) => {
      asked.push(String(address));
      return fetch(address, { ...init, headers: { ...(init?.headers as Record<string, string>), Authorization: 'Bearer good-token' } });
    };
    const byFetch = await Hala.load({ model, backend: 'wasm', fetch: own });
    const second = await byFetch.translate({ text });
    byFetch.dispose();
    return { texts: [first.text, second.text], n_asked: asked.length, weights: asked.some((address) => address.endsWith('/model.safetensors')) };
  }, model);
  expect(found).toEqual({ texts: ['Good morning.', 'Good morning.'], n_asked: expect.any(Number), weights: true });
  expect(found.n_asked).toBeGreaterThan(4);
});
