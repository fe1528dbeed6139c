// What pages have to fetch, in brotli as hosts send it, against what it may be at most.

import { readFileSync, readdirSync, statSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import { expect, test } from '@playwright/test';

const PACKAGE = new URL('../../web/package/dist/', import.meta.url);
const DEMO = new URL('../../web/demo/dist/', import.meta.url);

const compressed = (file: URL, quality = constants.BROTLI_MAX_QUALITY) =>
  brotliCompressSync(readFileSync(file), { params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_QUALITY]: quality } }).length;
const all = (folder: URL, names: readonly string[]) => names.reduce((sum, name) => sum + compressed(new URL(name, folder)), 0);

/** Bytes of a module. */
const MODULE = 1_200_000;

for (const module of ['hala_wasm_bg.wasm', 'hala_wasm_threads_bg.wasm']) {
  test(`${module} has at most 1.2 MB`, () => {
    // What fits in the quick kind, an eighth larger, need not be compressed as hosts do, which takes half a minute.
    const quick = compressed(new URL(module, PACKAGE), 9);
    expect(quick <= MODULE ? quick : compressed(new URL(module, PACKAGE))).toBeLessThanOrEqual(MODULE);
  });
}

test('the package\'s JavaScript has at most 60 kB', () => {
  expect(all(PACKAGE, ['index.js', 'worker.js'])).toBeLessThanOrEqual(60_000);
});

test('the built-in model has at most 10 MB', () => {
  const files = readdirSync(new URL('model/', PACKAGE)).map((name) => statSync(new URL(`model/${name}`, PACKAGE)).size);
  expect(files.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(10_000_000);
});

test('the demo shows itself after at most 200 kB', () => {
  const page = readFileSync(new URL('index.html', DEMO), 'utf8');
  const first = [...page.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css|svg))"/g)].map(([, name]) => name!);
  expect(first.filter((name) => name.endsWith('.js')).length).toBeGreaterThan(0);
  const fonts = readdirSync(new URL('assets/', DEMO)).filter((name) => name.endsWith('.woff2')).map((name) => `assets/${name}`);
  expect(fonts.length).toBe(4);
  const sum = all(DEMO, ['index.html', ...first, ...fonts]);
  test.info().annotations.push({ type: 'bytes', description: String(sum) });
  expect(sum).toBeLessThanOrEqual(200_000);
});
