// The package in Firefox, which loads a page and posts what it found: Playwright drives only builds of its own.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';

const FIREFOX = '/usr/bin/firefox-esr';
const DIST = fileURLToPath(new URL('../../web/package/dist/', import.meta.url));
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };
const PAGE = `<!doctype html><script type="module">
  import { Hala } from './dist/index.js';
  const found = [];
  try {
    for (const threads of [1, 2]) {
      const hala = await Hala.load({ threads });
      const pieces = [];
      const { text } = await hala.translate({ text: 'صباح الخير', onText: (piece) => pieces.push(piece) });
      found.push({ text, isStreamed: pieces.length > 1 && pieces.join('') === text, backend: hala.info.backend, threads: hala.info.threads });
      hala.dispose();
    }
  } catch (error) {
    found.push(String(error));
  }
  await fetch('./report', { method: 'POST', body: JSON.stringify(found) });
</script>`;

/** Opens the page in a Firefox of its own; gives what the page reports. */
async function report(): Promise<unknown> {
  const profile = mkdtempSync(join(tmpdir(), 'hala-firefox-'));
  let told: (found: unknown) => void;
  const found = new Promise((resolve) => { told = resolve; });
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (path === '/report') {
      const body = [];
      for await (const part of request) body.push(part as Buffer);
      told(JSON.parse(Buffer.concat(body).toString()));
      return void response.end();
    }
    if (path === '/') return void response.setHeader('Content-Type', 'text/html; charset=utf-8').end(PAGE);
    const file = path.startsWith('/dist/') ? join(DIST, path.slice('/dist/'.length)) : '';
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream').end(readFileSync(file));
  }).listen(0);
  const address = `http://localhost:${(server.address() as AddressInfo).port}/`;
  const firefox = spawn(FIREFOX, ['--headless', '--no-remote', '--profile', profile, address], { stdio: 'ignore' });
  const ended = new Promise((resolve) => firefox.once('exit', resolve));
  try {
    return await Promise.race([found, ended.then((code) => `Firefox ended with code ${code}`)]);
  } finally {
    firefox.kill();
    await ended;
    server.close();
    // Processes that are still ending may write once more; a temporary folder that stays does no harm.
    await rm(profile, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }
}

test('Firefox translates on the CPU, with one thread and with two', async () => {
  test.skip(!existsSync(FIREFOX), `there is no ${FIREFOX}`);
  const expected = { text: 'Good morning.', isStreamed: true, backend: 'wasm' };
  expect(await report()).toEqual([{ ...expected, threads: 1 }, { ...expected, threads: 2 }]);
});
