// What the package speaks of with the pages that use it: models, options, events, results.

/** Where a model comes from. */
export type ModelSource =
  /** The Arabic-English translator that ships with the package. */
  | 'built-in'
  /** The address of a folder in Hugging Face layout: `https://huggingface.co/OWNER/NAME` (its `main` branch), or any
   *  address to which file names can be added, such as `https://huggingface.co/OWNER/NAME/resolve/REVISION/` or
   *  `/models/hala-350m/`. */
  | string
  | URL
  /** Files that the user chose, with the names that they have in a checkpoint's folder. */
  | readonly File[];

/** What runs the model. */
export type BackendName = 'webgpu' | 'wasm';

/** How matrices are held on the device; `auto` keeps a quantised checkpoint as it is and makes others int8. */
export type WeightFormat = 'auto' | 'f32' | 'bf16' | 'f16' | 'int8' | 'fp8' | 'int4';

export interface LoadOptions {
  /** Default: the built-in translator. */
  model?: ModelSource;
  /** `auto` takes WebGPU on a real GPU and the CPU otherwise; `hala.info.reason` tells why. */
  backend?: 'auto' | BackendName;
  /** Default `auto`. */
  weights?: WeightFormat;
  /** Tokens that a conversation may hold; default 4096 or the model's own limit, whichever is less. */
  context?: number;
  /** Threads for the CPU, where the page is cross-origin isolated; default by the number of cores. Elsewhere there is one. */
  threads?: number;
  /** Sentences of a translation, and replies where a request asks for several, that are computed at once; default as many as suit the device.
   *  Fewer give the first sentence sooner, and all of them later. */
  parallel?: number;
  /** Whether a model from an address is kept for later visits; default true. The built-in one comes with the page. */
  cache?: boolean;
  /** Sent with every request for the model's files, to its own server alone. */
  headers?: Readonly<Record<string, string>>;
  /** An access token, as the Hub gives them for private models: the header `Authorization: Bearer TOKEN`. */
  token?: string;
  /** Fetches the model's files in the place of the browser's own `fetch`: for mirrors, signed addresses, or one's own cache. Runs in the page. */
  fetch?: typeof fetch;
  /** SHA-256 of files by name, in hexadecimal, to check a download with; the Hub's own are checked in any case. */
  sha256?: Readonly<Record<string, string>>;
  /** Stops the loading; what was downloaded stays for a later try. */
  signal?: AbortSignal;
  onProgress?: (progress: LoadProgress) => void;
}

/** How far loading has come. */
export interface LoadProgress {
  /** `download`: from the network into the cache; `load`: from there, or from where it is read, to the device. */
  phase: 'download' | 'load';
  /** The file that is downloaded, or the tensor that was loaded last. */
  name: string;
  /** Bytes that are downloaded, those of earlier visits included, or elements of tensors that are loaded. */
  loaded: number;
  /** Bytes of all files, or elements of all tensors. */
  total: number;
  /** Bytes a second over the last seconds of a download; 0 until known, and while loading. */
  bytesPerSecond: number;
}

/** What was loaded and what runs it. */
export interface HalaInfo {
  /** Version of the package. */
  version: string;
  model: {
    /** `built-in`, the address, or the names of files. */
    name: string;
    /** config.json's `model_type`. */
    family: string;
    parameters: number;
    layers: number;
    width: number;
    vocabulary: number;
    /** Tokens that a conversation holds, and that the model was made for. */
    context: number;
    maxContext: number;
    /** Bytes of all weights as they are held. */
    weightBytes: number;
    /** Bytes of keys and values for one token. */
    cacheBytesPerToken: number;
    /**
     * How a chat chooses tokens where its request does not say: as generation_config.json has it, or as LFM2's publisher recommends
     * where it says nothing. Null where its values mean nothing; then a request must name them.
     */
    sampling: SamplingDefaults | null;
  };
  backend: BackendName;
  /** Why this backend, in a sentence in English. */
  reason: string;
  /** The same as a word to translate by. */
  reasonCode: 'asked' | 'gpu' | 'no-webgpu' | 'no-adapter' | 'software-adapter' | 'adapter-too-small' | 'device-lost';
  /** The device in its maker's words. */
  device: string;
  /** Lanes in step of the GPU's subgroups, where kernels use them. */
  subgroups: boolean;
  /** Threads that the CPU computes with. */
  threads: number;
  /** Bytes of the WebAssembly memory now. */
  wasmBytes: number;
}

/** The choice of tokens, in the words of {@link ChatRequest}. */
export interface SamplingDefaults {
  temperature: number;
  /** 1 for no limit. */
  top_p: number;
  /** 0 for no limit. */
  top_k: number;
  /** 0 for no limit. */
  min_p: number;
  repetition_penalty: number;
  /** Null for as many as the context has room for. */
  max_tokens: number | null;
  /** Settings of the model's files that are not followed, with their values. */
  passed_over: string[];
}

/** An event of a {@link Hala}. */
export interface HalaEventMap {
  /** The GPU went away and was set up once more; the work goes on. */
  devicelost: CustomEvent<{ reason: string }>;
  /** Another backend took over, as the CPU does after a second loss within a minute. */
  backendchange: CustomEvent<{ backend: BackendName; reason: string }>;
}

// Chat, in the shape of the OpenAI API (https://platform.openai.com/docs/api-reference/chat).

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  /** Text, or parts of text. */
  content?: string | readonly { type: 'text'; text: string }[] | null;
  /** What the model thought before it answered, as its reply had it. Whether it becomes part of the prompt is for the model's template to say. */
  reasoning_content?: string | null;
}

export interface ChatRequest {
  messages: readonly ChatMessage[];
  /** Accepted for compatibility and ignored: the loaded model answers. */
  model?: string;
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  /** 0 takes the likeliest token. Whatever is left out is as `hala.info.model.sampling` has it. */
  temperature?: number;
  top_p?: number;
  top_k?: number;
  min_p?: number;
  repetition_penalty?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
  /** Token ids and what is added to their logits. */
  logit_bias?: Readonly<Record<string, number>>;
  /** Replies, at most 128, drawn with seeds that follow each other; default 1. They are generated at once, and share what the prompt takes. */
  n?: number | null;
  seed?: number;
  /** Ends a reply, and is no part of it. A thought before it may have such words. */
  stop?: string | readonly string[];
  max_tokens?: number;
  max_completion_tokens?: number;
  logprobs?: boolean;
  top_logprobs?: number;
  /** Functions that the model may call, as JSON descriptions for the model's template. */
  tools?: readonly object[];
  /** Variables for the model's chat template, such as `{ enable_thinking: false }`; `messages`, `tools` and the like are the chat's own. */
  chat_template_kwargs?: Readonly<Record<string, unknown>>;
  /** The local time that the template may print, such as `2026-03-07T09:05:00`, without a zone. Default: the page's clock. */
  now?: string;
  /** When the conversation outgrows the context: an error, or the oldest turns are left out. Default `error`. */
  overflow?: 'error' | 'drop-oldest';
  signal?: AbortSignal;

  // Fields of the API that ask for nothing here are accepted; any other value of them is refused by name.
  response_format?: { type: 'text' } | null;
  tool_choice?: 'auto' | 'none' | null;
  user?: string | null;
  metadata?: object | null;
  store?: boolean | null;
}

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Seconds since 1970. */
  created: number;
  model: string;
  /** As many as were asked for. */
  choices: [ChatChoice, ...ChatChoice[]];
  /** Of all of them together, the prompt counted once. */
  usage: Usage;
  timings: Timings;
}

/** One of the replies. */
export interface ChatChoice {
  index: number;
  /** `reasoning_content` is what the model thought before it answered, where it did. */
  message: { role: 'assistant'; reasoning_content?: string; content: string; refusal: null };
  logprobs: { content: TokenLogprob[]; refusal: null } | null;
  finish_reason: 'stop' | 'length';
}

export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  /** Empty in the last chunk where `include_usage` was asked for. */
  choices: {
    /** Which of the replies, from 0. */
    index: number;
    /** `reasoning_content` comes before `content`, where the model thinks before it answers. */
    delta: { role?: 'assistant'; reasoning_content?: string; content?: string };
    logprobs: { content: TokenLogprob[]; refusal: null } | null;
    finish_reason: 'stop' | 'length' | null;
  }[];
  /** In the last chunk, where `include_usage` was asked for; null before. */
  usage?: Usage | null;
  /** In the last chunk. */
  timings?: Timings;
}

export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes: number[] | null;
  top_logprobs: { token: string; logprob: number; bytes: number[] | null }[];
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  /** Of the prompt's tokens, those that were still held from before and cost nothing. */
  prompt_tokens_details: { cached_tokens: number };
  /** Of the reply's tokens, those of a thought before the answer; and where tokens were proposed by look-up in the text itself, those that
   *  became part of the reply and those that did not. Absent where there was neither. */
  completion_tokens_details?: { reasoning_tokens: number; accepted_prediction_tokens: number; rejected_prediction_tokens: number };
}

/** Where the time went, named as llama.cpp's server names it. */
export interface Timings {
  prompt_ms: number;
  prompt_per_second: number;
  predicted_ms: number;
  predicted_per_second: number;
}

// Translation with alignment.

export type LanguageCode = 'ar' | 'en';

export interface TranslateRequest {
  text: string;
  /** Found out from the text where not given. */
  from?: LanguageCode;
  to?: LanguageCode;
  signal?: AbortSignal;
  /** Called with each new piece of the translation: text that stays, so that all of them together are the translation. */
  onText?: (piece: string) => void;
}

/** A sentence and its translation. */
export interface TranslatedSegment {
  /** Where it is in the text, and in the translation, as offsets in UTF-16 units. */
  source: [number, number];
  target: [number, number];
  /** Why it stands as it is in the source: it has no letters, nothing but addresses, code, tags or names, is in the language
   *  wanted or in letters of another script; or it is too long and cannot be cut, or was refused by the model's tokenizer. */
  copied?: 'no-letters' | 'not-prose' | 'target-language' | 'other-script' | 'too-long' | 'refused';
  /** What was done where its translation repeated itself as the source does not: more than three equal n-grams in a row.
   *  `retried`: it goes on from the first of them with a repetition penalty; `cut`: that repeated itself too, and ends there. */
  looped?: 'retried' | 'cut';
  /** It ran into its limit of tokens. */
  truncated?: true;
  /** The language that it seems to be in, as a BCP 47 tag, where that is neither Arabic nor English. */
  other_language?: string;
}

export interface Translation {
  text: string;
  from: LanguageCode;
  to: LanguageCode;
  /** The language that the text seems to be in, as a BCP 47 tag, where that is neither Arabic nor English. */
  other_language?: string;
  segments: TranslatedSegment[];
  /** `length` where a sentence ran into its limit. */
  finish_reason: 'stop' | 'length';
  usage: Usage;
  timings: Timings;
}

// The cache.

/** A model that is kept for later visits, or a part of one. */
export interface CachedModel {
  /** The folder that it came from, which ends in `/`. */
  url: string;
  /** Bytes held. */
  bytes: number;
  /** Bytes that it has when it is whole; 0 where not yet known. */
  totalBytes: number;
  complete: boolean;
  /** When it was last loaded, in milliseconds since 1970. */
  lastUsed: number;
}

/** What is kept for later visits. */
export interface ModelCache {
  /** Every model, whole or in part. */
  list(): Promise<CachedModel[]>;
  /** Forgets a model, by any address that loads it; false where it is not held. */
  delete(model: string | URL): Promise<boolean>;
  /** Bytes of all models. */
  size(): Promise<number>;
}
