// The package as apps get it: packed, installed, bundled by Vite and by webpack, in a page with a strict policy.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';

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

test('an app built by Vite', async ({ page }) => {
  const app = makeApp('vite');
  const { build } = await import('vite');
  // Small files would become data: addresses, which the policy forbids; the package has none that a page must fetch.
  await build({ root: app, base: './', logLevel: 'error', configFile: false, build: { target: 'es2022' }, worker: { format: 'es' } });
  await page.goto('/consumers/vite/dist/index.html');
  await expect(page.locator('output')).toHaveText('Good morning.', { timeout: 60_000 });
});

test('an app in Vite\'s development server', async ({ page }) => {
  const app = makeApp('vite-dev');
  const { createServer } = await import('vite');
  const server = await createServer({ root: app, logLevel: 'error', configFile: false });
  await server.listen(8132);
  try {
    await page.goto('http://localhost:8132/');
    await expect(page.locator('output')).toHaveText('Good morning.', { timeout: 60_000 });
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
  await page.goto('/consumers/webpack/dist/index.html');
  await expect(page.locator('output')).toHaveText('Good morning.', { timeout: 60_000 });
});
