// The messages between the page and the worker: each request has a number, and ends in `done` or `failed`.

import type { PlainError } from './errors.js';
import type { BackendName, ChatMessage, HalaInfo, LoadProgress, WeightFormat } from './types.js';
import type { Told } from './wire.js';

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
  parallel: number | null;
  /** Whether a model from an address is kept. */
  cache: boolean;
  /** Sent with every request for the model's files. */
  headers: Readonly<Record<string, string>>;
  /** Whether the page fetches the model's files itself. */
  ownFetch: boolean;
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
export type ToWorker = { id: number; task: Task } | { id: number; abort: true } | ({ fetched: number } & FetchAnswer);

/** A request that the page is to make. */
export interface FetchRequest {
  address: string;
  headers: Readonly<Record<string, string>>;
  cache: RequestCache | undefined;
}

/** What became of it; the body is handed over as it comes, where the browser can hand over streams. */
export type FetchAnswer =
  | { status: number; headers: [string, string][]; body: ReadableStream<Uint8Array<ArrayBuffer>> | ArrayBuffer | null }
  | { failed: string };

/** From the worker. */
export type FromWorker =
  | { id: number; kind: 'progress'; progress: LoadProgress }
  /** A piece of a stream: JSON for a chat, text for a translation. */
  | { id: number; kind: 'piece'; piece: string }
  | { id: number; kind: 'done'; result: unknown }
  | { id: number; kind: 'failed'; error: PlainError }
  | { id: 0; kind: 'event'; event: WorkerEvent }
  | { id: number; kind: 'fetch'; request: FetchRequest }
  | { id: number; kind: 'unfetch' };

/** What happens besides. */
export type WorkerEvent = Exclude<Told, { type: 'load' }>;

/** What `load` and `info` give; the page adds the rest. */
export type WorkerInfo = Omit<HalaInfo, 'version'>;
