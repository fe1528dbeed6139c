// The worker: holds the model, and does what the page asks, one piece of work after the other.

import init, { Cancel, Runtime } from '../wasm/hala_wasm.js';
import { chooseBackend, turnSubgroupsOn, type Choice } from './backend.js';
import { HalaError, toPlain } from './errors.js';
import { sideFiles } from './files.js';
import type { FromWorker, LoadData, SourceData, Task, ToWorker, WorkerEvent, WorkerInfo } from './protocol.js';
import { openFiles } from './sources.js';

let memory: WebAssembly.Memory | undefined;
let runtime: Runtime | undefined;
let model: { choice: Choice; name: string } | undefined;
/** The end of what was asked before. */
let last: Promise<unknown> = Promise.resolve();
/** What stops the work that has not ended. */
const jobs = new Map<number, AbortController>();

const post = (message: FromWorker) => self.postMessage(message);

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if ('abort' in data) {
    jobs.get(data.id)?.abort();
    return;
  }
  void begin(data.id, data.task);
});

/** Runs a task after those that came before it; what only looks need not wait. */
async function begin(id: number, task: Task): Promise<void> {
  const controller = new AbortController();
  jobs.set(id, controller);
  try {
    if (!memory) ({ memory } = await init({ module_or_path: new URL('./hala_wasm_bg.wasm', import.meta.url) }));
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
  const cancel = new Cancel();
  const stop = () => cancel.cancel();
  signal.addEventListener('abort', stop);
  const onPiece = (piece: string) => post({ id, kind: 'piece', piece });
  try {
    switch (task.kind) {
      case 'load': return await load(id, task.data, cancel, signal);
      case 'chat': return JSON.parse(await loaded().chat(task.request, cancel, onPiece));
      case 'translate': return JSON.parse(await loaded().translate(task.request, cancel, onPiece));
      case 'countPrompt': return loaded().countPrompt(JSON.stringify(task.messages));
      case 'countTokens': return loaded().countTokens(task.text);
      case 'info': return info();
      case 'loseDevice': return loaded().loseDevice();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    cancel.free();
  }
}

function loaded(): Runtime {
  if (runtime) return runtime;
  throw new HalaError('invalid-request', 'no model is loaded');
}

async function load(id: number, data: LoadData, cancel: Cancel, signal: AbortSignal): Promise<WorkerInfo> {
  const choice = await chooseBackend(data.backend);
  if (choice.subgroups) turnSubgroupsOn();
  const files = await openFiles(data, signal, (progress) => post({ id, kind: 'progress', progress }));
  const options = {
    backend: choice.backend, weights: data.weights, context: data.context, subgroups: choice.subgroups,
  };
  const onEvent = (json: string) => tell(id, JSON.parse(json));
  const opened = await Runtime.load(JSON.stringify(options), await sideFiles(files), files, onEvent, cancel);
  runtime?.free();
  runtime = opened;
  model = { choice, name: nameOf(data.source) };
  return info();
}

function nameOf(source: SourceData): string {
  switch (source.kind) {
    case 'built-in': return 'built-in';
    case 'url': return source.name;
    case 'files': return source.files.map((file) => file.name).join(', ');
  }
}

type ModuleEvent = { type: 'load'; name: string; loaded: number; total: number } | WorkerEvent;

function tell(id: number, event: ModuleEvent): void {
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
  const { backend, device, subgroups, threads, ...facts } = JSON.parse(loaded().info());
  const { reason, reasonCode } = model!.choice;
  return {
    model: { name: model!.name, ...facts },
    backend, reason, reasonCode, device, subgroups, threads,
    wasmBytes: memory?.buffer.byteLength ?? 0,
  };
}
