// Times the package in Chromium on a checkpoint, in turn with wllama on the same model as GGUF where one is given.
//
//   node speed.mjs CHECKPOINT [--gguf MODEL.gguf --wllama FOLDER] [--backend wasm|webgpu] [--threads 1] [--prompt 128] [--generate 32] [--rounds 3]
//
// CHECKPOINT is a folder with config.json, model.safetensors and a tokenizer; FOLDER is where npm has installed @wllama/wllama.
// Needs `cargo xtask web`, and `npm ci` in tests/web. Prints medians, and every round as a line of JSON.

import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { positionals: [checkpoint], values } = parseArgs({
  allowPositionals: true,
  options: {
    gguf: { type: 'string' },
    wllama: { type: 'string' },
    backend: { type: 'string', default: 'wasm' },
    threads: { type: 'string', default: '1' },
    prompt: { type: 'string', default: '128' },
    generate: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
  },
});
if (!checkpoint || !existsSync(join(checkpoint, 'config.json'))) {
  console.error('usage: node speed.mjs CHECKPOINT [options]: CHECKPOINT must be a folder with a config.json');
  process.exit(2);
}
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { chromium } = createRequire(here('../../tests/web/package.json'))('@playwright/test');
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
const FOLDERS = { hala: here('../../web/package/dist'), model: checkpoint, wllama: values.wllama && join(values.wllama, 'node_modules/@wllama/wllama') };

function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  // Isolated from other pages, as threads need it.
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
  if (pathname === '/') return void response.setHeader('Content-Type', 'text/html').end('<!doctype html>');
  const [, folder, path] = /^\/([^/]+)\/(.+)$/.exec(pathname) ?? [];
  const file = folder === 'gguf' ? values.gguf : FOLDERS[folder] && join(FOLDERS[folder], normalize(path));
  if (!file || !existsSync(file)) return void response.writeHead(404).end();
  const { size } = statSync(file);
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(first ?? 0);
  const end = last ? Math.min(Number(last), size - 1) : size - 1;
  response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Content-Length', end - start + 1);
  if (first !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`);
  response.writeHead(first === undefined ? 200 : 206);
  if (request.method === 'HEAD') response.end();
  else createReadStream(file, { start, end }).pipe(response);
}

/** Runs in the page: one prompt and its reply, in tokens a second. */
async function runHala({ backend, threads, text, generate }) {
  const { Hala } = await import('/hala/index.js');
  const started = performance.now();
  const hala = await Hala.load({ model: '/model/', backend, threads, weights: 'int8', cache: false, context: 1024 });
  const load_s = (performance.now() - started) / 1000;
  const request = { messages: [{ role: 'user', content: text }], temperature: 0, max_tokens: generate, logit_bias: { 7: -100 } };
  await hala.chat.completions.create({ ...request, messages: [{ role: 'user', content: 'x' }], max_tokens: 2 });
  const { usage, timings } = await hala.chat.completions.create(request);
  // Kept, so that its memory is there to be measured.
  window.hala = hala;
  const { wasmBytes, threads: n_threads } = await hala.refresh();
  return {
    load_s, n_prompt: usage.prompt_tokens - usage.prompt_tokens_details.cached_tokens,
    prefill: timings.prompt_per_second, decode: timings.predicted_per_second, wasm_mb: Math.round(wasmBytes / 1e6), n_threads,
  };
}

/** The same of wllama, on the CPU. */
async function runWllama({ threads, text, generate }) {
  const { Wllama, LoggerWithoutDebug } = await import('/wllama/esm/index.js');
  const wllama = new Wllama({ default: '/wllama/esm/wasm/wllama.wasm' }, { logger: LoggerWithoutDebug });
  const started = performance.now();
  const options = { n_gpu_layers: 0, n_ctx: 1024, n_threads: threads, useCache: false };
  await wllama.loadModelFromUrl(`${location.origin}/gguf/model.gguf`, options);
  const load_s = (performance.now() - started) / 1000;
  let last;
  const completion = { prompt: text, max_tokens: generate, stream: true, temperature: 0, ignore_eos: true, cache_prompt: false };
  for await (const chunk of await wllama.createCompletion(completion)) last = chunk;
  const { prompt_n, prompt_per_second, predicted_per_second } = last.timings;
  return { load_s, n_prompt: prompt_n, prefill: prompt_per_second, decode: predicted_per_second };
}

/** Megabytes that the processes of pages hold. */
async function residentMegabytes(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const kibibytes = processInfo.filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]));
  return Math.round((kibibytes.reduce((sum, n) => sum + n, 0) * 1024) / 1e6);
}

async function round(engine, run, argument) {
  const args = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
  const browser = await chromium.launch({ executablePath: process.env.HALA_CHROMIUM ?? '/usr/bin/chromium', args });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.address().port}/`);
    const empty_mb = await residentMegabytes(browser);
    const figures = await page.evaluate(run, argument);
    return { engine, ...figures, memory_mb: (await residentMegabytes(browser)) - empty_mb };
  } finally {
    await browser.close();
  }
}

const server = createServer(answer).listen(0);
const words = ['the', 'cat', 'sat', 'on', 'a', 'mat', 'and', 'then'];
const argument = {
  backend: values.backend,
  threads: Number(values.threads),
  text: Array.from({ length: Number(values.prompt) }, (_, i) => words[i % words.length]).join(' '),
  generate: Number(values.generate),
};
const results = [];
for (let i = 0; i < Number(values.rounds); i++) {
  results.push(await round('hala', runHala, argument));
  console.log(JSON.stringify(results.at(-1)));
  if (!values.gguf) continue;
  results.push(await round('wllama', runWllama, argument));
  console.log(JSON.stringify(results.at(-1)));
}
server.close();
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
for (const engine of new Set(results.map((result) => result.engine))) {
  const of = (key) => median(results.filter((result) => result.engine === engine).map((result) => result[key]));
  const [prefill, decode, load] = ['prefill', 'decode', 'load_s'].map((key) => of(key).toFixed(1));
  console.log(`${engine}: prefill ${prefill}, decode ${decode} tokens/s; load ${load} s; ${of('memory_mb')} MB`);
}
