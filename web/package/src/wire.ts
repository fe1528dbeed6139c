// What the module is asked and what it answers, as JSON. A test compares these types with the Rust types of the same names, which are
// written and read there: in crates/hala, and where it says so in crates/wasm.

import type { BackendName, HalaInfo, LanguageCode, TokenLogprob, TranslatedSegment, WeightFormat } from './types.js';

/** Why a reply ended. */
export type FinishReason = 'stop' | 'length' | 'cancelled';

/** What work has cost. */
export interface Costs {
  usage: {
    prompt_tokens: number;
    cached_tokens: number;
    completion_tokens: number;
    /** Where there were drafts. */
    completion_tokens_details?: { accepted_prediction_tokens: number; rejected_prediction_tokens: number };
  };
  timings: { prefill_ms: number; decode_ms: number };
}

/** The end of a chat: of one reply or several, and their costs together. */
export interface ChatReply extends Costs {
  choices: { text: string; finish: FinishReason }[];
  /** Messages at the start that no longer fit the context. */
  dropped_messages: number;
}

/** A piece of a reply. */
export interface ChatPiece {
  /** Which reply. */
  index: number;
  text: string;
  logprobs?: TokenLogprob;
  /** At a reply's end, where there are several. */
  finish?: FinishReason;
}

/** The end of a translation. */
export interface TranslateReply extends Costs {
  text: string;
  from: LanguageCode;
  to: LanguageCode;
  other_language?: string;
  segments: TranslatedSegment[];
  finish: FinishReason;
}

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
