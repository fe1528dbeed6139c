// Times the package in Chromium on a checkpoint, in turn with wllama on the same model as GGUF where one is given.
//
//   node speed.mjs CHECKPOINT [--gguf MODEL.gguf --wllama FOLDER] [--backend wasm|webgpu] [--threads 1] [--prompt 128] [--generate 32] [--replies 1] [--rounds 3]
//   node speed.mjs CHECKPOINT --sentences 40 [--parallel 1,16] [--package FOLDER] …
//
// With --sentences it translates so many, and --parallel says how many of them at once, in turn. FOLDER after --package is another build of the package.
// CHECKPOINT is a folder with config.json, model.safetensors and a tokenizer; FOLDER is where npm has installed @wllama/wllama.
// Needs `cargo xtask web`, Linux for the memory figures, and Chromium at HALA_CHROMIUM or where Debian has it. Prints medians, and every round as a line of JSON.

import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inBrowser } from './browser.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Ends the command, because it was called wrongly. */
function refuse(message) {
  console.error(`${message}\nusage: node speed.mjs CHECKPOINT [options]; the head of this file names them`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        gguf: { type: 'string' },
        wllama: { type: 'string' },
        backend: { type: 'string', default: 'wasm' },
        threads: { type: 'string', default: '1' },
        prompt: { type: 'string', default: '128' },
        generate: { type: 'string', default: '32' },
        replies: { type: 'string', default: '1' },
        rounds: { type: 'string', default: '3' },
        sentences: { type: 'string' },
        parallel: { type: 'string', default: '1,16' },
        package: { type: 'string', default: here('../../web/package/dist') },
      },
    });
  } catch (error) {
    return refuse(error.message);
  }
}

const { positionals: [checkpoint], values } = parse();
if (!checkpoint || !existsSync(join(checkpoint, 'config.json'))) refuse('CHECKPOINT must be a folder with a config.json');
if (values.gguf && !existsSync(values.gguf)) refuse(`--gguf ${values.gguf}: there is no such file`);
if (values.gguf && !existsSync(join(values.wllama ?? '', 'node_modules/@wllama/wllama'))) refuse('--wllama must be a folder where npm has installed @wllama/wllama');
for (const name of ['threads', 'prompt', 'generate', 'replies', 'rounds', 'sentences']) {
  if (values[name] !== undefined && !/^[1-9]\d*$/.test(values[name])) refuse(`--${name} ${values[name]}: it is a whole number from 1`);
}
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
const FOLDERS = { bench: here('.'), hala: values.package, model: checkpoint, wllama: values.wllama && join(values.wllama, 'node_modules/@wllama/wllama') };

function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  // Isolated from other pages, as threads need it.
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
  if (pathname === '/') return void response.setHeader('Content-Type', 'text/html').end('<!doctype html><script type="module" src="/bench/page.js"></script>');
  if (pathname === '/task' || pathname === '/figures') return void answerPage(pathname, request, response);
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

/** A file of Linux's about a process; empty where that has ended. */
function proc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** The processes below this one. */
function descendants(pid) {
  const parent = (other) => Number(proc(other, 'stat').split(') ').at(-1).split(' ')[1]);
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parent(name) === pid).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Megabytes that the processes of a browser's pages hold. */
function residentMegabytes(browser) {
  const pages = descendants(browser.pid).filter((pid) => proc(pid, 'cmdline').includes('--type=renderer'));
  const kibibytes = pages.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(proc(pid, 'status'))?.[1] ?? 0));
  return Math.round((kibibytes.reduce((sum, n) => sum + n, 0) * 1024) / 1e6);
}

/** What the page asks for next, and what it told. */
let round;

/** Runs an engine in a browser of its own. */
async function run(engine, argument) {
  const address = `http://localhost:${server.address().port}/`;
  const { empty_mb, error, memory_mb, ...figures } = await inBrowser(address, ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'], async (browser) => {
    const told = await new Promise((resolve) => {
      round = { task: { engine, ...argument }, browser, resolve };
    });
    return { ...told, memory_mb: residentMegabytes(browser) };
  });
  if (error) throw new Error(`${engine}: ${error}`);
  return { engine, ...figures, memory_mb: memory_mb - empty_mb };
}

async function answerPage(path, request, response) {
  if (path === '/task') {
    round.empty_mb = residentMegabytes(round.browser);
    response.end(JSON.stringify(round.task));
  } else {
    const body = [];
    for await (const part of request) body.push(part);
    response.end();
    round.resolve({ ...JSON.parse(Buffer.concat(body).toString()), empty_mb: round.empty_mb });
  }
}

const server = createServer(answer).listen(0);
const words = ['the', 'cat', 'sat', 'on', 'a', 'mat', 'and', 'then'];
const argument = {
  backend: values.backend,
  threads: Number(values.threads),
  text: Array.from({ length: Number(values.prompt) }, (_, i) => words[i % words.length]).join(' '),
  generate: Number(values.generate),
  n: Number(values.replies),
};
/** What is run in each round: an engine of page.js with its argument, under the name that its figures are told by. */
const runs = values.sentences
  ? values.parallel.split(',').map(Number).map((parallel) => [`${parallel} at once`, 'sentences', { ...argument, parallel, n: Number(values.sentences) }])
  : [['hala', 'hala', argument], ...(values.gguf ? [['wllama', 'wllama', argument]] : [])];
const results = [];
for (let i = 0; i < Number(values.rounds); i++) {
  for (const [name, engine, argument] of runs) {
    results.push({ name, ...(await run(engine, argument)) });
    console.log(JSON.stringify(results.at(-1)));
  }
}
server.close();
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
for (const [name] of runs) {
  const of = (key) => median(results.filter((result) => result.name === name).map((result) => result[key]));
  const told = values.sentences
    ? `${of('seconds').toFixed(1)} s, ${of('tokens_s').toFixed(1)} tokens/s, first text after ${of('first_s').toFixed(2)} s`
    : `prefill ${of('prefill').toFixed(1)}, decode ${of('decode').toFixed(1)} tokens/s`;
  console.log(`${name}: ${told}; load ${of('load_s').toFixed(1)} s; ${of('memory_mb')} MB`);
}
