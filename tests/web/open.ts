// The package in a page of the server's, for a test to use as `window.HalaWeb`.

import type { Page } from '@playwright/test';
import type * as HalaWeb from '../../web/package/src/index.ts';

declare global {
  interface Window {
    HalaWeb: typeof HalaWeb;
  }
}

/** Opens an empty page, isolated from others where the folder lies below `/isolated/`, with the package that is in the folder. */
export async function open(page: Page, folder = '/dist/'): Promise<void> {
  await page.goto(folder.startsWith('/isolated/') ? '/isolated/' : '/');
  await page.evaluate(async (address) => {
    window.HalaWeb = await import(address);
  }, `${folder}index.js`);
}
