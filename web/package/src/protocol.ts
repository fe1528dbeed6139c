// The messages between the page and the worker: each request has a number, and ends in `done` or `failed`.

import type { PlainError } from './errors.js';
import type { BackendName, ChatMessage, HalaInfo, LoadProgress, WeightFormat } from './types.js';

/** Where the worker finds a model's files. */
export type SourceData =
  | { kind: 'built-in' }
  | { kind: 'url'; url: string; name: string }
  | { kind: 'files'; files: File[] };

/** How a model is loaded. */
export interface LoadData {
  source: SourceData;
  backend: 'auto' | BackendName;
  weights: WeightFormat;
  context: number | null;
  threads: number | null;
  /** Whether a model from an address is kept. */
  cache: boolean;
  /** SHA-256 of files by name. */
  sha256: Readonly<Record<string, string>>;
}

/** What the page asks for; the last part of each is its argument. */
export type Task =
  | { kind: 'load'; data: LoadData }
  | { kind: 'chat'; request: string }
  | { kind: 'translate'; request: string }
  | { kind: 'countPrompt'; messages: readonly ChatMessage[] }
  | { kind: 'countTokens'; text: string }
  | { kind: 'info' }
  | { kind: 'loseDevice' };

/** From the page. */
export type ToWorker = { id: number; task: Task } | { id: number; abort: true };

/** From the worker. */
export type FromWorker =
  | { id: number; kind: 'progress'; progress: LoadProgress }
  /** A piece of a stream: JSON for a chat, text for a translation. */
  | { id: number; kind: 'piece'; piece: string }
  | { id: number; kind: 'done'; result: unknown }
  | { id: number; kind: 'failed'; error: PlainError }
  | { id: 0; kind: 'event'; event: WorkerEvent };

/** What happens besides. */
export type WorkerEvent =
  | { type: 'devicelost'; reason: string }
  | { type: 'backendchange'; backend: BackendName; reason: string };

/** What `load` and `info` give; the page adds the rest. */
export type WorkerInfo = Omit<HalaInfo, 'version'>;
