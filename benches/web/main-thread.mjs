// Times the tasks of the demo's main thread while the built-in model loads, translates a text, and answers in a conversation: what a person would
// feel as a page that sticks. The time is the processor's, so that other work on the machine does not count.
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
import { startTrace } from './trace.mjs';

const DEMO = fileURLToPath(new URL('../../web/demo/dist/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.json': 'application/json' };
/** What browsers call long. */
const LONG_MS = 50;
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

/** Runs in the page before the demo does: does what is asked, and tells when it is done. */
function measure(use, text, n) {
  void use(text, n, () => performance.mark('begin')).then(() => fetch('/done', { method: 'POST' }));
}

/** Translates a text of some sentences. */
async function translate(text, n, begin) {
  const until = (look) => new Promise((resolve) => { const timer = setInterval(() => { if (look()) resolve(clearInterval(timer)); }, 100); });
  const field = () => document.querySelector('textarea');
  await until(field);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  begin();
  field().value = text;
  field().dispatchEvent(new Event('input', { bubbles: true }));
  await until(() => document.querySelectorAll('.sentence').length === n);
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
  begin();
  location.hash = '#chat';
  await until(() => document.querySelectorAll('.message').length === n);
  const field = document.querySelector('.composer textarea');
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  document.querySelector('.composer').requestSubmit();
  await until(() => document.querySelectorAll('.message').length > n + 1);
  await until(() => document.querySelectorAll('.message-tools.assistant').length > n / 2);
}

let [use, n] = [translate, 0];
let done = () => undefined;

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/done') {
    response.end();
    return done();
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

/** The longest of some tasks, and how many are long. */
const figures = (tasks) => ({ longest_ms: Math.max(...tasks), n_long: tasks.filter((ms) => ms > LONG_MS).length });

/** One round in a browser of its own. */
async function round() {
  const isDone = new Promise((resolve) => { done = resolve; });
  const tasks = await inBrowser('about:blank', ['--remote-debugging-pipe'], async (browser) => {
    const { endTrace, open } = await startTrace(browser);
    await open(`http://localhost:${server.address().port}/`);
    await isDone;
    return endTrace();
  }, ['pipe', 'pipe']);
  return { start: figures(tasks.before), ...figures(tasks.after) };
}

for (const [kind, name, lengths] of [[translate, 'sentences', values.sentences], [converse, 'messages', values.messages]]) {
  for (const length of lengths.split(',').map(Number)) {
    [use, n] = [kind, length];
    const rounds = [];
    for (let i = 0; i < Number(values.rounds); i++) {
      rounds.push(await round());
      console.log(JSON.stringify({ [name]: n, ...rounds.at(-1) }));
    }
    const of = (figure) => median(rounds.map(figure)).toFixed(0);
    const start = `${of(({ start }) => start.longest_ms)} ms, ${of(({ start }) => start.n_long)} of more than ${LONG_MS} ms, at the start`;
    console.log(`${n} ${name}: longest task ${of(({ longest_ms }) => longest_ms)} ms, ${of(({ n_long }) => n_long)} of more than ${LONG_MS} ms; ${start}`);
  }
}
server.close();
