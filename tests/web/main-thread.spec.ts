// What the page's own thread is given to do while a model loads and translates: nothing of the model's, and pieces that do not grow with the
// text. Everything is counted, so that no machine is too slow for it; how long the pieces take is measured by benches/web/main-thread.mjs.

import { expect, test, type CDPSession, type Page } from '@playwright/test';

const SENTENCES = ['صباح الخير. ', 'أين المحطة؟ ', 'شكرا لك. '];
const N_SENTENCES = 60;

/** Messages in which the page's work is counted, near the text's start and near its end. */
const N_COUNTED = 20;

/** Of a message that carries a piece of the translation, with all that is around it. */
const MOST_CHARACTERS = 200;

/** Calls for each sentence when the whole translation is put in place of the pieces: its element, with what listens to it. */
const MOST_CALLS_A_SENTENCE = 150;

/** What the page tells of itself. */
interface Watched {
  /** What of WebAssembly was called on this thread. */
  wasm: string[];
  /** Kind and characters of each message from the worker. */
  messages: { kind: string; n: number }[];
  /** Messages that wait to be handed over: from the first piece of a translation on. */
  waiting: (() => void)[];
  /** Hands some of them over, each with the frames that it asks for. */
  handOver(n: number): Promise<void>;
}

/** Runs in the page before anything else there does. */
function watch(): void {
  const watched: Watched = {
    wasm: [], messages: [], waiting: [],
    async handOver(n) {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      for (const next of this.waiting.splice(0, n)) {
        next();
        await frame();
        await frame();
        // Effects run after a frame was painted.
        await new Promise((resolve) => setTimeout(resolve));
      }
    },
  };
  Object.assign(globalThis, { watched });
  for (const name of ['Module', 'Instance', 'Memory', 'compile', 'compileStreaming', 'instantiate', 'instantiateStreaming', 'validate'] as const) {
    const real = WebAssembly[name] as (...args: unknown[]) => unknown;
    const note = () => watched.wasm.push(name);
    const seen = new Proxy(real, {
      apply: (target, self, args) => (note(), Reflect.apply(target, self, args)),
      construct: (target, args) => (note(), Reflect.construct(target, args) as object),
    });
    Object.assign(WebAssembly, { [name]: seen });
  }
  const add = Worker.prototype.addEventListener;
  Worker.prototype.addEventListener = function (this: Worker, type: string, listener: (event: Event) => void, ...rest: []) {
    const held = (event: Event) => {
      const { data } = event as MessageEvent<{ kind: string }>;
      watched.messages.push({ kind: data.kind, n: JSON.stringify(data).length });
      if (data.kind === 'piece' || watched.waiting.length > 0) watched.waiting.push(() => listener(event));
      else listener(event);
    };
    add.call(this, type, type === 'message' ? held : listener, ...rest);
  } as typeof add;
}

const watched = <T>(page: Page, look: (watched: Watched) => T) =>
  page.evaluate(`(${String(look)})(globalThis.watched)`) as Promise<Awaited<T>>;

/** Calls of functions on the page's thread while some messages are handed over. */
async function calls(page: Page, session: CDPSession, n: number): Promise<number> {
  await session.send('Profiler.takePreciseCoverage');
  await page.evaluate((n) => (globalThis as unknown as { watched: Watched }).watched.handOver(n), n);
  const { result } = await session.send('Profiler.takePreciseCoverage');
  const counts = result.flatMap(({ functions }) => functions.map(({ ranges }) => ranges[0]?.count ?? 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

test('the main thread has nothing of the model, and pieces of work that do not grow with the text', async ({ page }) => {
  await page.addInitScript(watch);
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await page.goto('/demo/');
  const text = SENTENCES.join('').repeat(N_SENTENCES / SENTENCES.length);
  await page.locator('textarea').first().fill(text);

  await expect.poll(() => watched(page, ({ waiting }) => waiting.length)).toBeGreaterThan(2 * N_COUNTED);
  await watched(page, (watched) => watched.handOver(4));
  const early = await calls(page, session, N_COUNTED);
  await expect.poll(() => watched(page, ({ messages }) => messages.filter(({ kind }) => kind === 'done').length)).toBe(2);
  // All but the last pieces, of which many come in a frame, and the end.
  await page.evaluate((n) => {
    const { waiting } = (globalThis as unknown as { watched: Watched }).watched;
    for (const next of waiting.splice(0, waiting.length - n)) next();
  }, N_COUNTED + 5);
  await watched(page, (watched) => watched.handOver(4));
  const late = await calls(page, session, N_COUNTED);
  await expect(page.locator('.sentence')).toHaveCount(0);
  const end = await calls(page, session, 1);
  await expect(page.locator('.sentence')).toHaveCount(N_SENTENCES);

  const { wasm, messages, waiting } = await watched(page, ({ wasm, messages, waiting }) => ({ wasm, messages, waiting: waiting.length }));
  expect(waiting).toBe(0);
  test.info().annotations.push({ type: 'calls', description: `${early} and ${late} in ${N_COUNTED} pieces, ${end} at the end` });
  expect(early).toBeGreaterThan(N_COUNTED);
  expect(late).toBeLessThanOrEqual(1.2 * early);
  expect(end).toBeLessThanOrEqual(MOST_CALLS_A_SENTENCE * N_SENTENCES);
  // A piece is a token's text or a few, never what there is so far.
  const pieces = messages.filter(({ kind }) => kind === 'piece');
  expect(pieces.length).toBeGreaterThan(2 * N_SENTENCES);
  expect(Math.max(...pieces.map(({ n }) => n))).toBeLessThanOrEqual(MOST_CHARACTERS);
  expect(wasm).toEqual([]);
  const fetched = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  expect(fetched.length).toBeGreaterThan(0);
  expect(fetched.filter((name) => /\.(wasm|safetensors)$|tokenizer\.json$/.test(name))).toEqual([]);
});
