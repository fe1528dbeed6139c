// Times the tasks of the demo's main thread while the built-in model loads, translates a text, and answers in a conversation: what a person would
// feel as a page that sticks.
//
//   node main-thread.mjs [--sentences 60,240,960] [--messages 20,200] [--rounds 3]
//
// Needs `cargo xtask web`, and Chromium at HALA_CHROMIUM or where Debian has it. Prints for each length the median over the rounds of the longest task
// from when the text is there, or the conversation is asked for, to the end of the translation or reply, and how many tasks took more than 50 ms, which
// is what browsers call long; the same of the page's start; every round as a line of JSON.
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
  console.error(`${message}\nusage: node main-thread.mjs [--sentences 60,240,960] [--messages 20,200] [--rounds 3]`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({ options: { sentences: { type: 'string', default: '60,240,960' }, messages: { type: 'string', default: '20,200' }, rounds: { type: 'string', default: '3' } } }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

const values = parse();
if (![...values.sentences.split(','), ...values.messages.split(','), values.rounds].every((number) => /^[1-9]\d*$/.test(number))) refuse('numbers are whole, from 1');
if (!existsSync(join(DEMO, 'index.html'))) refuse('web/demo/dist is not there: run `cargo xtask web`');

/** Runs in the page before the demo does: notes every task, does what is asked, and tells the figures when it is done. */
function measure(use, text, n) {
  const none = () => ({ n_long: 0, longest_ms: 0 });
  let figures = none();
  const note = (ms) => { figures.longest_ms = Math.max(figures.longest_ms, ms); };
  // Tasks from 50 ms on are told; shorter ones are seen by how late a message to oneself comes.
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      figures.n_long++;
      note(duration);
    }
  }).observe({ type: 'longtask' });
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  port1.onmessage = () => {
    note(performance.now() - last);
    setTimeout(() => { last = performance.now(); port2.postMessage(0); });
  };
  port2.postMessage(0);
  const begin = () => {
    const start = figures;
    figures = none();
    return start;
  };
  const tell = (start) => void fetch('/figures', { method: 'POST', body: JSON.stringify({ start, ...figures }) });
  void use(text, n, begin).then(tell);
}

/** Translates a text of some sentences. */
async function translate(text, n, begin) {
  const until = (look) => new Promise((resolve) => { const timer = setInterval(() => { if (look()) resolve(clearInterval(timer)); }, 100); });
  const field = () => document.querySelector('textarea');
  await until(field);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const start = begin();
  field().value = text;
  field().dispatchEvent(new Event('input', { bubbles: true }));
  await until(() => document.querySelectorAll('.sentence').length === n);
  return start;
}

/** Opens a conversation of some messages, and lets the model answer a long one. */
async function converse(text, n, begin) {
  const until = (look) => new Promise((resolve) => { const timer = setInterval(() => { if (look()) resolve(clearInterval(timer)); }, 100); });
  const reply = '# رد\n\nفقرة فيها **كلام** كثير و`code`.\n\n1. أول\n2. ثان\n3. ثالث\n\n```js\nconst x = 1;\nconst y = 2;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n';
  const messages = Array.from({ length: n }, (_, i) => ({ id: String(i), role: i % 2 ? 'assistant' : 'user', content: i % 2 ? reply.repeat(3) : `السؤال رقم ${i}` }));
  const opening = indexedDB.open('hala', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('conversations', { keyPath: 'id' });
  await new Promise((resolve) => { opening.onsuccess = resolve; });
  const transaction = opening.result.transaction('conversations', 'readwrite');
  transaction.objectStore('conversations').put({ id: 'x', title: 'x', system: '', messages, changed: 1 });
  await new Promise((resolve) => { transaction.oncomplete = resolve; });
  await until(() => document.querySelector('textarea'));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const start = begin();
  location.hash = '#chat';
  await until(() => document.querySelectorAll('.message').length === n);
  const field = document.querySelector('.composer textarea');
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  document.querySelector('.composer').requestSubmit();
  await until(() => document.querySelectorAll('.message').length > n + 1);
  await until(() => document.querySelectorAll('.message-tools.assistant').length > n / 2);
  return start;
}

let [use, n] = [translate, 0];
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
    const text = Array.from({ length: use === translate ? n : 120 }, (_, i) => SENTENCES[i % SENTENCES.length]).join(' ');
    return response.setHeader('Content-Type', 'text/javascript').end(`(${measure})(${use}, ${JSON.stringify(text)}, ${n});`);
  }
  const path = pathname === '/' ? 'index.html' : normalize(pathname);
  if (!existsSync(join(DEMO, path))) return response.writeHead(404).end();
  const bytes = readFileSync(join(DEMO, path));
  const page = pathname === '/' && bytes.toString().replace('<head>', '<head><script src="/measure.js"></script>');
  response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream').end(page || bytes);
}

const server = createServer((request, response) => void answer(request, response)).listen(0);
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
for (const [kind, name, lengths] of [[translate, 'sentences', values.sentences], [converse, 'messages', values.messages]]) {
  for (const length of lengths.split(',').map(Number)) {
    [use, n] = [kind, length];
    const rounds = [];
    for (let i = 0; i < Number(values.rounds); i++) {
      const figures = await inBrowser(`http://localhost:${server.address().port}/`, [], () => new Promise((resolve) => { tell = resolve; }));
      rounds.push(figures);
      console.log(JSON.stringify({ [name]: n, ...figures }));
    }
    const of = (figure) => median(rounds.map(figure)).toFixed(0);
    const start = `${of(({ start }) => start.longest_ms)} ms, ${of(({ start }) => start.n_long)} of more than 50 ms, at the start`;
    console.log(`${n} ${name}: longest task ${of(({ longest_ms }) => longest_ms)} ms, ${of(({ n_long }) => n_long)} of more than 50 ms; ${start}`);
  }
}
server.close();
