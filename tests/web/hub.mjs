// A hub of models on an origin of its own, laid out as Hugging Face's, with the faults that a repository's owner names.
//
// `/OWNER/NAME/resolve/main/FILE` redirects to the file, `/api/models/OWNER/NAME/tree/main` lists them with SHA-256,
// `/log/NAME` tells what was asked for, and `/go/NAME` lets happen what a fault waits for. NAME is the test's own; OWNER is `plain` or one of FAULTS.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';

const MODEL = new URL('../../crates/demo-model/files/', import.meta.url);
const WEIGHTS = 'model.safetensors';
const NAMES = readdirSync(MODEL).filter((name) => name === WEIGHTS || /^(config|generation_config|tokenizer.*)\.json$/.test(name));
const FILES = new Map(NAMES.map((name) => [name, readFileSync(new URL(name, MODEL))]));
const SUM = createHash('sha256').update(FILES.get(WEIGHTS)).digest('hex');

/** Requests of each repository: file, first byte, status. */
const logs = new Map();
const log = (name) => logs.get(name) ?? logs.set(name, []).get(name);

/** Names whose tests have said `/go/`, and what is done then. */
const gone = new Set();
const waiting = new Map();

/** What goes wrong with a small file; `n` counts requests for it from 1, those for its first byte left out. */
const SIDE_FAULTS = {
  /** The configuration is cut off, once. */
  cutconfig: (file, bytes, n) => (file === 'config.json' && n === 1 ? bytes.subarray(0, bytes.length / 2) : bytes),
  /** The server sends its own page for a while, as hosts of single-page apps do. */
  spa: (file, bytes, n) => (file === 'tokenizer_config.json' && n === 1 ? Buffer.from('<!doctype html><title>App</title>') : bytes),
  /** The configuration is of no model, once. */
  noconfig: (file, bytes, n) => (file === 'config.json' && n === 1 ? Buffer.from('{"model_type": "none"}') : bytes),
};

/** The token that the owner `locked` asks for. */
const TOKEN = 'Bearer good-token';

/** What goes wrong with a range of the weights; `n` counts such requests from 1, leaving out those for the size and header. */
const FAULTS = {
  /** The line breaks half way, once, when the reader has told how far it is: what it has not looked at then may be lost. */
  break: ({ response, bytes, name }, n) => (n === 1 ? sendHalf(response, bytes, () => when(name, () => response.destroy())) : response.end(bytes)),
  /** The line breaks half way, when the reader has told how far it is, and then nothing comes any more. */
  dead: ({ response, bytes, name }, n) => (n === 1 ? sendHalf(response, bytes, () => when(name, () => response.destroy())) : response.destroy()),
  /** The line breaks at once, always. */
  broken: ({ response }) => response.destroy(),
  /** Half of it comes, and then nothing more, once. */
  stall: ({ response, bytes }, n) => (n === 1 ? sendHalf(response, bytes, () => undefined) : response.end(bytes)),
  /** Half of it comes, and then nothing more until the reader goes, always; whole again when the test says so. */
  slow: ({ response, bytes, name }) => (gone.has(name) ? response.end(bytes) : sendHalf(response, bytes, () => undefined)),
  /** A byte is wrong, once. */
  wrong: ({ response, bytes }, n) => response.end(n === 1 ? flipped(bytes) : bytes),
  /** A byte is wrong, always. */
  damaged: ({ response, bytes }) => response.end(flipped(bytes)),
  /** The line breaks half way, and then the file is another. */
  changed: ({ response, bytes }, n) => (n === 1 ? sendHalf(response, bytes, () => response.destroy()) : response.end(bytes)),
};

function sendHalf(response, bytes, then) {
  response.write(bytes.subarray(0, bytes.length / 2), then);
}

/** Does something as soon as the test has said that it may happen. */
function when(name, then) {
  if (gone.has(name)) then();
  else waiting.set(name, then);
}

function flipped(bytes) {
  const copy = Buffer.from(bytes);
  copy[copy.length - 1] ^= 1;
  return copy;
}

function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Access-Control-Allow-Headers', 'authorization, range, x-mirror');
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  response.setHeader('Access-Control-Expose-Headers', 'ETag, Content-Range');
  const [, logged] = /^\/log\/([^/]+)$/.exec(pathname) ?? [];
  if (logged) return void response.end(JSON.stringify(log(logged)));
  const [, going] = /^\/go\/([^/]+)$/.exec(pathname) ?? [];
  if (going) {
    gone.add(going);
    waiting.get(going)?.();
    return void response.end();
  }
  if (/^\/api\/models\/unlisted\//.test(pathname)) return void response.writeHead(404).end();
  if (/^\/api\/models\/[^/]+\/[^/]+\/tree\/main$/.test(pathname)) return list(response);
  const [, owner, name, kind, file] = /^\/([^/]+)\/([^/]+)\/(resolve\/main|cdn)\/([^/]+)$/.exec(pathname) ?? [];
  if (owner === 'private' || (owner === 'locked' && request.headers.authorization !== TOKEN)) return void response.writeHead(401).end();
  if (!FILES.has(file)) return void response.writeHead(404).end();
  if (kind === 'resolve/main') return void response.writeHead(302, { Location: `/${owner}/${name}/cdn/${file}` }).end();
  send({ request, response, owner, name, file });
}

function list(response) {
  const entries = NAMES.map((path) => ({
    type: 'file', path, size: FILES.get(path).length, oid: '0', ...(path === WEIGHTS ? { lfs: { oid: SUM, size: FILES.get(path).length } } : {}),
  }));
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(entries));
}

function send({ request, response, owner, name, file }) {
  const isProbe = request.headers.range === 'bytes=0-0';
  const asked = log(name).filter((entry) => entry.file === file && !entry.isProbe).length + 1;
  const all = SIDE_FAULTS[owner]?.(file, FILES.get(file), asked) ?? FILES.get(file);
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const isRange = first !== undefined && owner !== 'norange';
  const start = isRange ? Number(first) : 0;
  const end = isRange && last ? Math.min(Number(last) + 1, all.length) : all.length;
  const bytes = all.subarray(start, end);
  const n = log(name).filter((entry) => entry.isBody).length + 1;
  // The size and the header are asked for apart.
  const isBody = file === WEIGHTS && bytes.length > 100_000;
  log(name).push({ file, start, bytes: bytes.length, isBody, ...(isProbe ? { isProbe } : {}) });
  response.setHeader('ETag', owner === 'changed' && n > 1 ? '"two"' : `"one ${all.length}"`);
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Length', bytes.length);
  if (isRange) response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${all.length}`);
  response.writeHead(isRange ? 206 : 200);
  const fault = isBody ? FAULTS[owner] : undefined;
  if (fault) fault({ response, bytes, name }, n);
  else response.end(bytes);
}

createServer(answer).listen(8131);
