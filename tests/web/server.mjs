// Serves an empty page with a strict policy, the built package and the built demo, with Range requests as model hosts answer them;
// and all of it once more under /isolated/, with the headers that isolate a page from others.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const PACKAGE = new URL('../../web/package/dist/', import.meta.url);
const DEMO = new URL('../../web/demo/dist/', import.meta.url);
const CONSUMERS = new URL('results/consumers/', import.meta.url);
const ONE_THREAD = new URL('results/one-thread/web/package/dist/', import.meta.url);
const MODEL = new URL('../../crates/demo-model/files/', import.meta.url);
const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm',
  '.json': 'application/json', '.webmanifest': 'application/manifest+json', '.woff2': 'font/woff2', '.png': 'image/png',
};
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http://localhost:8131";
/**
 * What a worker finds in a browser without the Cache API, in those that start no thread, in one that has a megabyte left, and in one whose clock is
 * so slow that all of a test lies within a minute of it.
 */
const BROWSERS = {
  nocache: 'delete globalThis.caches;',
  nothreads: 'delete globalThis.Worker;',
  badthreads: "if (self.name === 'hala-thread') { delete globalThis.WebAssembly; }",
  slowclock: 'const now = performance.now.bind(performance); performance.now = () => now() / 60;',
  crowded: 'navigator.storage.estimate = async () => ({ quota: 5_000_000, usage: 4_000_000 });',
};

async function answer(request, response) {
  const [, isolated, pathname] = /^(\/isolated)?(\/.*)$/.exec(new URL(request.url, 'http://localhost').pathname) ?? [];
  response.setHeader('Content-Security-Policy', POLICY);
  if (isolated) {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
  }
  if (pathname === '/consumers-worker.js') {
    response.setHeader('Content-Type', 'text/javascript');
    response.end("import { Hala } from '/dist/index.js'; const hala = await Hala.load({ backend: 'wasm' }); postMessage((await hala.translate({ text: 'صباح الخير' })).text);");
    return;
  }
  if (pathname === '/service-worker.js') {
    response.setHeader('Content-Type', 'text/javascript');
    response.end("import { Hala, HalaError } from '/dist/index.js'; addEventListener('message', ({ ports: [port] }) => void Hala.load().catch((error) => port.postMessage([error instanceof HalaError, error.code])));");
    return;
  }
  if (pathname === '/') {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>Hala</title>');
    return;
  }
  // In place of `dist`, `cut` gives a weight file that ends too early, `whole` gives files whole whatever is asked for, and
  // the keys of BROWSERS give a worker in another browser.
  const [, folder, path] = /^\/(dist|cut|whole|nocache|nothreads|badthreads|slowclock|crowded|demo|consumers|one-thread)\/(.+)$/.exec(pathname === '/demo/' ? '/demo/index.html' : pathname) ?? [];
  if (!path) return void response.writeHead(404).end();
  const inModel = /^model\/(.+)$/.exec(path)?.[1];
  let bytes = await readFile(inModel ? new URL(inModel, MODEL) : new URL(path, { demo: DEMO, consumers: CONSUMERS, 'one-thread': ONE_THREAD }[folder] ?? PACKAGE));
  if (folder === 'cut' && path.endsWith('.safetensors')) bytes = bytes.subarray(0, bytes.length / 2);
  if (path === 'worker.js') bytes = Buffer.concat([Buffer.from(BROWSERS[folder] ?? ''), bytes]);
  response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
  // As static hosts send it: browsers then keep parts of a file, and put them together.
  response.setHeader('ETag', `W/"${bytes.length}-${path.length}"`);
  response.setHeader('Last-Modified', 'Fri, 27 Nov 2026 00:00:00 GMT');
  response.setHeader('Cache-Control', 'no-cache');
  response.setHeader('Accept-Ranges', 'bytes');
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (!range || folder === 'whole') return void response.end(bytes);
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
  response.writeHead(206, { 'Content-Range': `bytes ${start}-${end}/${bytes.length}` });
  response.end(bytes.subarray(start, end + 1));
}

createServer((request, response) => {
  answer(request, response).catch(() => response.writeHead(404).end());
}).listen(8130);
