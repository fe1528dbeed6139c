// The package as apps get it: packed, installed, bundled by Vite and by webpack, in a page with a strict policy.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, type Page } from '@playwright/test';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PACKAGE = here('../../web/package');
const APPS = here('results/consumers');

/** An app of its own, with the packed package installed. */
function makeApp(name: string): string {
  const app = `${APPS}/${name}`;
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  cpSync(here('consumers'), app, { recursive: true });
  const npm = (...words: string[]) => execFileSync('npm', words, { cwd: app, encoding: 'utf8' });
  const [packed] = JSON.parse(npm('pack', PACKAGE, '--json', '--ignore-scripts')) as [{ filename: string }];
  npm('install', `./${packed.filename}`, '--offline', '--ignore-scripts', '--no-audit', '--no-fund');
  return app;
}

/** Opens a built app in a page as any, and in one that is isolated from others, where the package computes on several threads. */
async function expectTranslation(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.locator('output')).toHaveText('Good morning. One thread.');
  await page.goto(`/isolated${address}`);
  const threads = await page.evaluate(() => (navigator.hardwareConcurrency > 1 ? 'Several threads' : 'One thread'));
  await expect(page.locator('output')).toHaveText(`Good morning. ${threads}.`);
}

test('an app built by Vite', async ({ page }) => {
  const app = makeApp('vite');
  const { build } = await import('vite');
  // Small files would become data: addresses, which the policy forbids; the package has none that a page must fetch.
  await build({ root: app, base: './', logLevel: 'error', configFile: false, build: { target: 'es2022' }, worker: { format: 'es' } });
  await expectTranslation(page, '/consumers/vite/dist/index.html');
});

test('an app in Vite\'s development server', async ({ page }) => {
  const app = makeApp('vite-dev');
  const { createServer } = await import('vite');
  const server = await createServer({ root: app, logLevel: 'error', configFile: false });
  await server.listen(8132);
  try {
    await page.goto('http://localhost:8132/');
    await expect(page.locator('output')).toHaveText(/^Good morning\./);
  } finally {
    await server.close();
  }
});

test('an app built by webpack', async ({ page }) => {
  const app = makeApp('webpack');
  const { default: webpack } = await import('webpack');
  const compiler = webpack({ mode: 'production', context: app, entry: './main.js', output: { path: `${app}/dist` } });
  const stats = await new Promise<{ toJson(): { errors?: { message: string }[] } } | undefined>((resolve, reject) => {
    compiler.run((error, done) => (error ? reject(error) : resolve(done)));
  });
  expect(stats?.toJson().errors).toEqual([]);
  cpSync(`${app}/index.html`, `${app}/dist/index.html`);
  await expectTranslation(page, '/consumers/webpack/dist/index.html');
});
