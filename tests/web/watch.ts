// Looks at what a page's own thread does: functions called, elements and texts changed, and what the model's worker says, which a test hands over
// piece by piece, or writes itself.

import type { CDPSession, Page } from '@playwright/test';

/** What changed of the document in one task. */
export interface Change {
  /** Elements and texts that were added, removed or changed. */
  n_nodes: number;
  /** Characters of the texts that were added or changed: the browser shapes a text as a whole. */
  n_characters: number;
}

/** What a page tells of itself. */
export interface Watched {
  /** What of WebAssembly was called on this thread. */
  wasm: string[];
  /** Kind and characters of each message from the worker. */
  messages: { kind: string; n: number }[];
  /** Messages that wait to be handed over: from the first piece of a translation on. */
  waiting: (() => void)[];
  /** Changes of the document, task by task. */
  changes: Change[];
  /** Characters that were made elements of, by the parser of HTML. */
  n_parsed: number;
  /** Characters of each thing that was put into a database. */
  kept: number[];
  /** Whether a reply was asked for that the test writes. */
  isAsked: boolean;
  /** What was asked for last, as JSON. */
  asked: string | undefined;
  /** Hands some messages over, each with the frames that it asks for. */
  handOver(n: number): Promise<void>;
  /** Says pieces of a reply in the model's place, likewise: of the answer, or of a thought before it. The page must have asked for one. */
  say(pieces: readonly (string | { reasoning_content: string })[]): Promise<void>;
  /** Ends the reply. */
  end(): void;
}

declare global {
  var watched: Watched;
}

/** Runs in the page before anything else there does. With `isWritten` replies of chats are the test's. */
export function watch({ isWritten }: { isWritten: boolean }): void {
  const frames = async () => {
    for (let n = 0; n < 2; n++) await new Promise((resolve) => requestAnimationFrame(resolve));
    // Effects run after a frame was painted.
    await new Promise((resolve) => setTimeout(resolve));
  };
  let [worker, id] = [undefined as Worker | undefined, 0];
  const tell = (data: object) => worker!.dispatchEvent(new MessageEvent('message', { data: { id, ...data } }));
  const tellChunk = (delta: object, more: object = {}) => {
    const choice = { index: 0, delta, logprobs: null, finish_reason: null, ...more };
    tell({ kind: 'piece', piece: JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'test', choices: [choice], usage: null }) });
  };
  const watched: Watched = globalThis.watched = {
    wasm: [], messages: [], waiting: [], changes: [], n_parsed: 0, kept: [], isAsked: false, asked: undefined,
    async handOver(n) {
      for (const next of this.waiting.splice(0, n)) {
        next();
        await frames();
      }
    },
    async say(pieces) {
      for (const piece of pieces) {
        tellChunk(typeof piece === 'string' ? { content: piece } : piece);
        await frames();
      }
    },
    end() {
      tellChunk({}, { finish_reason: 'stop' });
      tell({ kind: 'done', result: null });
    },
  };
  for (const name of ['Module', 'Instance', 'Memory', 'compile', 'compileStreaming', 'instantiate', 'instantiateStreaming', 'validate'] as const) {
    const real = WebAssembly[name] as (...args: unknown[]) => unknown;
    const note = () => watched.wasm.push(name);
    const seen = new Proxy(real, {
      apply: (target, self, args) => (note(), Reflect.apply(target, self, args)),
      construct: (target, args) => (note(), Reflect.construct(target, args) as object),
    });
    Object.assign(WebAssembly, { [name]: seen });
  }
  const add = Worker.prototype.addEventListener;
  Worker.prototype.addEventListener = function (this: Worker, type: string, listener: (event: Event) => void, ...rest: []) {
    const held = (event: Event) => {
      const { data } = event as MessageEvent<{ kind: string }>;
      watched.messages.push({ kind: data.kind, n: JSON.stringify(data).length });
      if (!isWritten && (data.kind === 'piece' || watched.waiting.length > 0)) watched.waiting.push(() => listener(event));
      else listener(event);
    };
    add.call(this, type, type === 'message' ? held : listener, ...rest);
  } as typeof add;
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (this: Worker, message: { id: number; task?: { kind: string; request?: string } }, ...rest: []) {
    if (!isWritten || message.task?.kind !== 'chat') return post.call(this, message, ...rest);
    [worker, id] = [this, message.id];
    [watched.isAsked, watched.asked] = [true, message.task.request];
  } as typeof post;
  const parse = DOMParser.prototype.parseFromString;
  DOMParser.prototype.parseFromString = function (this: DOMParser, html: string, type: DOMParserSupportedType) {
    watched.n_parsed += String(html).length;
    return parse.call(this, html, type);
  } as typeof parse;
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (this: IDBObjectStore, value: unknown, ...rest: []) {
    watched.kept.push(JSON.stringify(value).length);
    return put.call(this, value, ...rest);
  };
  const length = (node: Node) => node.textContent?.length ?? 0;
  new MutationObserver((records) => {
    const nodes = records.flatMap(({ type, target, addedNodes, removedNodes }) => (type === 'characterData' ? [target] : [...addedNodes, ...removedNodes]));
    watched.changes.push({ n_nodes: nodes.length, n_characters: nodes.reduce((sum, node) => sum + length(node), 0) });
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

/** Looks at what the page has told. */
export function watched<T>(page: Page, look: (watched: Watched) => T): Promise<Awaited<T>> {
  return page.evaluate(`(${String(look)})(globalThis.watched)`) as Promise<Awaited<T>>;
}

/** Work of the page's thread, counted. */
export interface Work {
  /** Functions that were called. */
  n_calls: number;
  /** Of all changes of the document together, and of the largest. */
  n_nodes: number;
  n_characters: number;
  most_nodes: number;
  most_characters: number;
  n_parsed: number;
}

/** Begins to count calls of functions. */
export async function startCounting(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  return session;
}

/** What the page's thread does meanwhile. */
export async function workOf(page: Page, session: CDPSession, meanwhile: () => Promise<unknown>): Promise<Work> {
  await session.send('Profiler.takePreciseCoverage');
  await watched(page, (watched) => { watched.changes.length = 0; watched.n_parsed = 0; });
  await meanwhile();
  const { result } = await session.send('Profiler.takePreciseCoverage');
  const { changes, n_parsed } = await watched(page, ({ changes, n_parsed }) => ({ changes, n_parsed }));
  const counts = result.flatMap(({ functions }) => functions.map(({ ranges }) => ranges[0]?.count ?? 0));
  const [nodes, characters] = [changes.map(({ n_nodes }) => n_nodes), changes.map(({ n_characters }) => n_characters)];
  const sum = (all: number[]) => all.reduce((sum, n) => sum + n, 0);
  return {
    n_calls: sum(counts), n_nodes: sum(nodes), n_characters: sum(characters), most_nodes: Math.max(0, ...nodes), most_characters: Math.max(0, ...characters), n_parsed,
  };
}
