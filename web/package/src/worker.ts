// The worker: holds the model, and does what the page asks, one piece of work after the other.

import type { Cancel, Runtime } from '../wasm/hala_wasm/hala_wasm.js';
import { chooseBackend, turnSubgroupsOn, type Choice } from './backend.js';
import { HalaError, toPlain } from './errors.js';
import { release, sideFiles } from './files.js';
import { startModule, type Module } from './module.js';
import type { FromWorker, LoadData, SourceData, Task, ToWorker, WorkerInfo } from './protocol.js';
import { PageFetch } from './page-fetch.js';
import { openFiles } from './sources.js';
import { lendThread, type Lending } from './threads.js';
import type { Info, LoadRequest, Told } from './wire.js';

let module: Module | undefined;
let runtime: Runtime | undefined;
let model: { choice: Choice; name: string } | undefined;
/** The end of what was asked before. */
let last: Promise<unknown> = Promise.resolve();
/** What stops the work that has not ended. */
const jobs = new Map<number, AbortController>();

const post = (message: FromWorker) => self.postMessage(message);
const page = new PageFetch(post);

self.addEventListener('message', ({ data }: MessageEvent<ToWorker | Lending>) => {
  if ('lend' in data) lendThread(data).catch(reportError);
  else if ('fetched' in data) page.take(data.fetched, data);
  else if ('abort' in data) jobs.get(data.id)?.abort();
  else void begin(data.id, data.task);
});

/** Runs a task after those that came before it; what only looks need not wait. */
async function begin(id: number, task: Task): Promise<void> {
  const controller = new AbortController();
  jobs.set(id, controller);
  try {
    const waits = task.kind === 'load' || task.kind === 'chat' || task.kind === 'translate';
    const work = waits ? last.then(() => run(id, task, controller.signal)) : run(id, task, controller.signal);
    if (waits) last = work.catch(() => undefined);
    post({ id, kind: 'done', result: await work });
  } catch (thrown) {
    post({ id, kind: 'failed', error: toPlain(thrown) });
    // After a trap the module's memory can no longer be trusted: the page is told, and takes the worker for dead.
    if (thrown instanceof WebAssembly.RuntimeError) reportError(thrown);
  } finally {
    jobs.delete(id);
  }
}

async function run(id: number, task: Task, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) throw new HalaError('aborted', 'stopped on request');
  const onPiece = (piece: string) => post({ id, kind: 'piece', piece });
  switch (task.kind) {
    case 'load': return load(id, task.data, signal);
    case 'chat': return JSON.parse(await cancellable(signal, (cancel) => loaded().chat(task.request, cancel, onPiece)));
    case 'translate': return JSON.parse(await cancellable(signal, (cancel) => loaded().translate(task.request, cancel, onPiece)));
    case 'countPrompt': return loaded().countPrompt(JSON.stringify(task.messages));
    case 'countTokens': return loaded().countTokens(task.text);
    case 'info': return info();
    case 'loseDevice': return loaded().loseDevice();
  }
}

/** Does work of the module's that a signal stops. */
async function cancellable<T>(signal: AbortSignal, work: (cancel: Cancel) => Promise<T>): Promise<T> {
  const cancel = new module!.Cancel();
  const stop = () => cancel.cancel();
  signal.addEventListener('abort', stop);
  try {
    return await work(cancel);
  } finally {
    signal.removeEventListener('abort', stop);
    cancel.free();
  }
}

function loaded(): Runtime {
  if (runtime) return runtime;
  throw new HalaError('invalid-request', 'no model is loaded');
}

async function load(id: number, data: LoadData, signal: AbortSignal): Promise<WorkerInfo> {
  const choice = await chooseBackend(data.backend);
  if (choice.subgroups) turnSubgroupsOn();
  const { Runtime, threads } = (module ??= await startModule(choice.backend, data.threads));
  const files = await openFiles(data, signal, (progress) => post({ id, kind: 'progress', progress }), (address, init) => page.ask(address, init));
  const options: LoadRequest = {
    backend: choice.backend, weights: data.weights, context: data.context, subgroups: choice.subgroups, threads, parallel: data.parallel,
  };
  const onEvent = (json: string) => tell(id, JSON.parse(json) as Told);
  const side = await sideFiles(files, data.source.kind === 'url' ? data.source.url : undefined);
  const reader = { size: files.size.bind(files), read: files.read.bind(files), release };
  const opened = await cancellable(signal, (cancel) => Runtime.load(JSON.stringify(options), side, reader, onEvent, cancel)).catch(async (error: unknown) => {
    if (isOfFiles(error)) await files.doubt?.();
    throw error;
  });
  runtime?.free();
  runtime = opened;
  model = { choice, name: nameOf(data.source) };
  return info();
}

/** Whether a model's files are at fault. */
function isOfFiles(thrown: unknown): boolean {
  return ['missing-file', 'damaged-model', 'unsupported-model', 'no-tokenizer', 'not-finite'].includes(toPlain(thrown).code);
}

function nameOf(source: SourceData): string {
  switch (source.kind) {
    case 'built-in': return 'built-in';
    case 'url': return source.name;
    case 'files': return source.files.map((file) => file.name).join(', ');
  }
}

function tell(id: number, event: Told): void {
  if (event.type === 'load') {
    const { name, loaded, total } = event;
    post({ id, kind: 'progress', progress: { phase: 'load', name, loaded, total, bytesPerSecond: 0 } });
    return;
  }
  if (event.type === 'backendchange' && model) {
    model.choice = { backend: event.backend, reason: event.reason, reasonCode: 'device-lost', subgroups: false };
  }
  post({ id: 0, kind: 'event', event });
}

function info(): WorkerInfo {
  const { backend, device, subgroups, threads, ...facts } = JSON.parse(loaded().info()) as Info;
  const { reason, reasonCode } = model!.choice;
  return {
    model: { name: model!.name, ...facts },
    backend, reason, reasonCode, device, subgroups, threads,
    wasmBytes: module!.memory.buffer.byteLength,
  };
}
