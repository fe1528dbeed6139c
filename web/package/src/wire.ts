// What the module is asked and what it tells, as JSON, beside the requests and answers of types.ts. A test compares all these types with
// the Rust types that are written and read there: in crates/hala, and where it says so in crates/wasm.

import type { BackendName, HalaInfo, WeightFormat } from './types.js';

/** What was loaded and what runs it. */
export interface Info extends Omit<HalaInfo['model'], 'name'>, Pick<HalaInfo, 'backend' | 'device' | 'subgroups' | 'threads'> {}

/** What a model is loaded by; crates/wasm reads it. */
export interface LoadRequest {
  backend: BackendName;
  weights: WeightFormat;
  context: number | null;
  subgroups: boolean;
  threads: number;
  parallel: number | null;
}

/** What happens besides; crates/wasm writes it. */
export type Told =
  | { type: 'load'; name: string; loaded: number; total: number }
  | { type: 'devicelost'; reason: string }
  | { type: 'backendchange'; backend: BackendName; reason: string };

/** What the module throws; crates/wasm makes it. */
export interface Failure {
  code: string;
  message: string;
  bytes?: number;
}
