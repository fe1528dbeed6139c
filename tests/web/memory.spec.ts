// Disposing of a model frees all that it held.

import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { open } from './open.ts';

const MODEL_BYTES = 9_236_616;

/** Bytes that the processes of pages hold in memory. */
async function residentBytes(page: Page): Promise<number> {
  const session = await page.context().browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const pages = processInfo.filter(({ type }) => type === 'renderer');
  const kibibytes = pages.map(({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0));
  return kibibytes.reduce((sum, n) => sum + n, 0) * 1024;
}

/** Loads, translates, disposes; then lets the browser collect what is free. */
async function useOnce(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'wasm' });
    await hala.translate({ text: 'شكرا لك.' });
    hala.dispose();
  });
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
}

for (const [threads, folder] of [['one thread', '/dist/'], ['several threads', '/isolated/dist/']] as const) {
  test(`loading and disposing ten times holds no more than doing it twice, with ${threads}`, async ({ page }) => {
    test.skip(process.platform !== 'linux', 'the memory of processes is read from /proc');
    await open(page, folder);
    for (let i = 0; i < 2; i++) await useOnce(page);
    const before = await residentBytes(page);
    for (let i = 0; i < 8; i++) await useOnce(page);
    await expect.poll(() => page.workers().length).toBe(0);
    // Eight models would be 74 MB, and their workers more.
    await expect.poll(() => residentBytes(page)).toBeLessThan(before + 3 * MODEL_BYTES);
  });
}
