// The CPU with one thread and with several: the same results, and threads only where a page may have them.

import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import type * as HalaWeb from '../../web/package/src/index.ts';
import { open } from './open.ts';

/** Sentences with what the reference implementation makes of them. */
const GOLDEN = readFileSync(new URL('../../crates/demo-model/files/golden.jsonl', import.meta.url), 'utf8')
  .trim().split('\n').map((line) => JSON.parse(line) as { source: string; target: string });

/** Translates sentences on so many threads; null for as many as the package thinks best. */
const translations = (page: Page, threads: number | null, sentences: typeof GOLDEN) => page.evaluate(async ([threads, sources]) => {
  const hala = await window.HalaWeb.Hala.load({ backend: 'wasm', ...(threads ? { threads } : {}) });
  const texts = [];
  for (const text of sources) texts.push((await hala.translate({ text })).text);
  hala.dispose();
  return { texts, threads: hala.info.threads };
}, [threads, sentences.map((line) => line.source)] as const);

/** Checks that at most so many sentences differ from the reference's: the shipped int8 weights change some, and another order of sums one more. */
async function expectGolden(page: Page, sentences: typeof GOLDEN, mostOthers: number): Promise<void> {
  await open(page, '/dist/');
  const one = await translations(page, null, sentences);
  expect(sentences.filter((line, i) => line.target !== one.texts[i]).length).toBeLessThanOrEqual(mostOthers);
  expect(one.threads).toBe(1);
  await open(page, '/isolated/dist/');
  expect(await translations(page, 1, sentences)).toEqual(one);
  expect(await translations(page, 2, sentences)).toEqual({ ...one, threads: 2 });
  expect(await translations(page, 3, sentences)).toEqual({ ...one, threads: 3 });
}

test('the reference\'s translations come out, the same with any number of threads', async ({ page }) => {
  await expectGolden(page, GOLDEN.filter((_, i) => i % 5 === 0), 3);
});

test('all of the reference\'s translations come out, the same with any number of threads', { tag: '@long' }, async ({ page }) => {
  await expectGolden(page, GOLDEN, 3);
});

test('an isolated page has threads without asking for them, and its GPU is what it is elsewhere', async ({ page }) => {
  await open(page, '/isolated/dist/');
  const found = await page.evaluate(async () => {
    const cpu = await window.HalaWeb.Hala.load({ backend: 'wasm' });
    const gpu = await window.HalaWeb.Hala.load({ backend: 'webgpu', threads: 2 });
    const { text } = await gpu.translate({ text: 'شكرا لك.' });
    return { threads: cpu.info.threads, cores: navigator.hardwareConcurrency, onGpu: gpu.info.threads, text };
  });
  expect(found).toMatchObject({ onGpu: 1, text: 'Thank you.' });
  if (found.cores > 1) expect(found.threads).toBeGreaterThan(1);
});

test('where a page is not isolated, or a thread cannot be started, one thread does the work', async ({ page }) => {
  for (const folder of ['/dist/', '/isolated/nothreads/', '/isolated/badthreads/']) {
    await open(page, folder);
    const found = await page.evaluate(async () => {
      const hala = await window.HalaWeb.Hala.load({ backend: 'wasm', threads: 4 });
      return [hala.info.threads, (await hala.translate({ text: 'شكرا لك.' })).text];
    });
    expect(found).toEqual([1, 'Thank you.']);
  }
});

test('stopping, going on and disposing work as they do with one thread', async ({ page }) => {
  await open(page, '/isolated/dist/');
  const found = await page.evaluate(async () => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'wasm', threads: 2 });
    const controller = new AbortController();
    const text = 'أين المحطة؟ شكرا لك. '.repeat(40);
    const stopped = await hala.translate({ text, signal: controller.signal, onText: () => controller.abort() })
      .catch((error: HalaWeb.HalaError) => error.code);
    const { text: after } = await hala.translate({ text: 'شكرا لك.' });
    hala.dispose();
    return { stopped, after };
  });
  expect(found).toEqual({ stopped: 'aborted', after: 'Thank you.' });
  await expect.poll(() => page.workers().length).toBe(0);
});

test('what is no number of threads is refused', async ({ page }) => {
  await open(page, '/dist/');
  const codes = await page.evaluate(() => Promise.all([0, -1, 1.5, NaN].map(async (threads) =>
    window.HalaWeb.Hala.load({ backend: 'wasm', threads }).then(() => 'loaded', (error: HalaWeb.HalaError) => error.code))));
  expect(codes).toEqual(Array(4).fill('invalid-request'));
});
