// The package without the module for several threads, as `cargo xtask web --one-thread` builds it: it works, and says what it lacks.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { open } from './open.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const TREE = here('results/one-thread');
const MODULE = 'wasm/hala_wasm';

/** Builds it in a tree of its own, where that module has not been built; gives the files of the packed package. */
function build(): string[] {
  rmSync(TREE, { recursive: true, force: true });
  mkdirSync(`${TREE}/web/package/wasm`, { recursive: true });
  for (const name of ['crates', 'LICENSE', 'web/node_modules']) symlinkSync(here(`../../${name}`), `${TREE}/${name}`);
  for (const name of ['build.mjs', 'licences.mjs', 'package.json', 'README.md', 'tsconfig.json', 'tsconfig.build.json', 'src', MODULE]) {
    cpSync(here(`../../web/package/${name}`), `${TREE}/web/package/${name}`, { recursive: true });
  }
  const npm = (...words: string[]) => execFileSync('npm', words, { cwd: `${TREE}/web/package`, encoding: 'utf8' });
  npm('run', 'build');
  const [packed] = JSON.parse(npm('pack', '--dry-run', '--json', '--ignore-scripts')) as [{ files: { path: string }[] }];
  return packed.files.map((file) => file.path);
}

test('one thread does the work, which the console says where there could be more', async ({ page }) => {
  const files = build();
  expect(files.filter((path) => path.endsWith('.wasm'))).toEqual(['dist/hala_wasm_bg.wasm']);
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  for (const [folder, remark] of [['/one-thread/', false], ['/isolated/one-thread/', true]] as const) {
    await open(page, folder);
    const found = await page.evaluate(async () => {
      const hala = await window.HalaWeb.Hala.load({ backend: 'wasm', threads: 2 });
      const { text } = await hala.translate({ text: 'صباح الخير' });
      return { text, threads: hala.info.threads };
    });
    expect(found).toEqual({ text: 'Good morning.', threads: 1 });
    expect(said.some((text) => text.includes('without the module for several threads'))).toBe(remark);
  }
  expect(asked.filter((url) => url.includes('threads'))).toEqual([]);
});
