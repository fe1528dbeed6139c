// Times the tasks of the demo's main thread while the built-in model loads and translates: what a person would feel as a page that sticks.
//
//   node main-thread.mjs [--sentences 15,60,240] [--rounds 3]
//
// Needs `cargo xtask web`, and Chromium at HALA_CHROMIUM or where Debian has it. Prints for each number of sentences the median over the rounds of
// the longest task, and how many tasks took more than 50 ms, which is what browsers call long; every round as a line of JSON.
// That nothing of the model is on that thread, and that pieces of work do not grow with the text, is counted by tests/web/main-thread.spec.ts.

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inBrowser } from './browser.mjs';

const DEMO = fileURLToPath(new URL('../../web/demo/dist/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.json': 'application/json' };
const SENTENCES = ['صباح الخير.', 'أين المحطة؟', 'شكرا لك.'];

/** Ends the command, because it was called wrongly. */
function refuse(message) {
  console.error(`${message}\nusage: node main-thread.mjs [--sentences 15,60,240] [--rounds 3]`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({ options: { sentences: { type: 'string', default: '15,60,240' }, rounds: { type: 'string', default: '3' } } }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

const values = parse();
if (![...values.sentences.split(','), values.rounds].every((number) => /^[1-9]\d*$/.test(number))) refuse('numbers are whole, from 1');
if (!existsSync(join(DEMO, 'index.html'))) refuse('web/demo/dist is not there: run `cargo xtask web`');

/** Runs in the page before the demo does: notes every task, writes the text, and tells the figures when its translation is there. */
function measure(text, n) {
  const tasks = [];
  // Tasks from 50 ms on are told; shorter ones are seen by how late a message to oneself comes.
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask', buffered: true });
  const { port1, port2 } = new MessageChannel();
  let [last, longest] = [performance.now(), 0];
  port1.onmessage = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    setTimeout(() => { last = performance.now(); port2.postMessage(0); });
  };
  port2.postMessage(0);
  const look = setInterval(() => {
    const field = document.querySelector('textarea');
    if (field && field.value === '') {
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    if (document.querySelectorAll('.sentence').length !== n) return;
    clearInterval(look);
    void fetch('/figures', { method: 'POST', body: JSON.stringify({ n_long: tasks.length, longest_ms: Math.max(longest, ...tasks) }) });
  }, 100);
}

let n = 0;
let tell = () => undefined;

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/figures') {
    const body = [];
    for await (const part of request) body.push(part);
    response.end();
    return tell(JSON.parse(Buffer.concat(body).toString()));
  }
  if (pathname === '/measure.js') {
    const text = Array.from({ length: n }, (_, i) => SENTENCES[i % SENTENCES.length]).join(' ');
    return response.setHeader('Content-Type', 'text/javascript').end(`(${measure})(${JSON.stringify(text)}, ${n});`);
  }
  const path = pathname === '/' ? 'index.html' : normalize(pathname);
  if (!existsSync(join(DEMO, path))) return response.writeHead(404).end();
  const bytes = readFileSync(join(DEMO, path));
  const page = pathname === '/' && bytes.toString().replace('<head>', '<head><script src="/measure.js"></script>');
  response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream').end(page || bytes);
}

const server = createServer((request, response) => void answer(request, response)).listen(0);
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
for (n of values.sentences.split(',').map(Number)) {
  const rounds = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    const figures = await inBrowser(`http://localhost:${server.address().port}/`, [], () => new Promise((resolve) => { tell = resolve; }));
    rounds.push(figures);
    console.log(JSON.stringify({ sentences: n, ...figures }));
  }
  const of = (key) => median(rounds.map((round) => round[key]));
  console.log(`${n} sentences: longest task ${of('longest_ms').toFixed(0)} ms, ${of('n_long')} of more than 50 ms`);
}
server.close();
