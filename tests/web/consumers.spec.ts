// The package as apps get it: packed, installed, bundled by Vite, webpack and Next, or by nothing, in a page with a strict policy; and in Node.js.

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, type Page } from '@playwright/test';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PACKAGE = here('../../web/package');
const APPS = here('results/consumers');

/** An app of its own, with the packed package installed; what else it needs comes from npm's cache, or `online` from its registry. */
function makeApp(name: string, { from = 'consumers', online = false } = {}): string {
  const app = `${APPS}/${name}`;
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  cpSync(here(from), app, { recursive: true });
  const npm = (...words: string[]) => execFileSync('npm', words, { cwd: app, encoding: 'utf8' });
  const [packed] = JSON.parse(npm('pack', PACKAGE, '--json', '--ignore-scripts')) as [{ filename: string }];
  npm('install', `./${packed.filename}`, online ? '--prefer-offline' : '--offline', '--ignore-scripts', '--no-audit', '--no-fund');
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

test('a page without a bundler, whose policy allows scripts of its own and WebAssembly alone', async ({ page }) => {
  const app = makeApp('plain');
  const main = readFileSync(`${app}/main.js`, 'utf8');
  writeFileSync(`${app}/main.js`, main.replace("'hala-web'", "'./node_modules/hala-web/dist/index.js'"));
  const response = await page.request.get('/consumers/plain/index.html');
  expect(response.headers()['content-security-policy']).toMatch(/default-src 'self'; script-src 'self' 'wasm-unsafe-eval';/);
  await expectTranslation(page, '/consumers/plain/index.html');
});

test('Node.js, where it can be imported and is refused by its code', () => {
  const app = makeApp('node');
  const script = "import { Hala, HalaError } from 'hala-web'; Hala.load().catch((error) => console.log(`${error instanceof HalaError} ${error.code}`))";
  expect(execFileSync('node', ['--input-type=module', '-e', script], { cwd: app, encoding: 'utf8' }).trim()).toBe('true unsupported-environment');
});

test('an app built by Next, with Turbopack', { tag: '@long' }, async ({ page }) => {
  const app = makeApp('next', { from: 'consumers-next', online: true });
  const next = [`${app}/node_modules/next/dist/bin/next`];
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  execFileSync('node', [...next, 'build'], { cwd: app, env });
  const server = spawn('node', [...next, 'start', '-p', '8132'], { cwd: app, env, stdio: 'ignore' });
  try {
    await expect.poll(() => fetch('http://localhost:8132/').then(({ ok }) => ok, () => false)).toBe(true);
    await page.goto('http://localhost:8132/');
    const threads = await page.evaluate(() => (navigator.hardwareConcurrency > 1 ? 'Several threads' : 'One thread'));
    await expect(page.locator('output')).toHaveText(`Good morning. ${threads}.`);
  } finally {
    server.kill();
  }
});
