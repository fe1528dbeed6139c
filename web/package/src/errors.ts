// The one kind of error that the package throws.

import type { Failure } from './wire.js';

/** What went wrong, as a word for programs. */
export type HalaErrorCode =
  // Asked for wrongly.
  | 'invalid-request'
  | 'same-language'
  | 'context-length-exceeded'
  | 'disposed'
  // There is no worker here to run a model in, as in Node.js or a service worker, or none that may be started.
  | 'unsupported-environment'
  // Stopped by the page.
  | 'aborted'
  // The model's files.
  | 'missing-file'
  | 'damaged-model'
  | 'unsupported-model'
  | 'no-tokenizer'
  | 'not-finite'
  // Getting them; `reader` where the package's own reading broke its word to the module.
  | 'reader'
  | 'network'
  | 'http'
  | 'not-found'
  | 'unauthorized'
  // Keeping them; `corrupt-download` where a file's SHA-256 is not what it must be.
  | 'corrupt-download'
  | 'quota-exceeded'
  // The device.
  | 'out-of-memory'
  | 'device-lost'
  | 'device-refused'
  | 'worker-died'
  | 'internal';

/** Numbers that belong to an error. */
export interface HalaErrorDetails {
  /** Bytes that were asked for. */
  bytes?: number;
  /** Bytes that there is room for. */
  available?: number;
  /** HTTP status. */
  status?: number;
  /** The file or address in question. */
  name?: string;
}

/** An error of this package: its message says what was found, what was expected, and what to do next. */
export class HalaError extends Error {
  /** `AbortError` where the page stopped the work, as `fetch` has it; else `HalaError`. */
  override readonly name: 'HalaError' | 'AbortError';

  constructor(
    readonly code: HalaErrorCode,
    message: string,
    readonly details: HalaErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = code === 'aborted' ? 'AbortError' : 'HalaError';
  }
}

/** An error as it crosses between the page and the worker, which cannot hand over classes. */
export interface PlainError {
  code: HalaErrorCode;
  message: string;
  details: HalaErrorDetails;
}

/** Whatever was thrown, as data. */
export function toPlain(thrown: unknown): PlainError {
  if (thrown instanceof HalaError) {
    return { code: thrown.code, message: thrown.message, details: thrown.details };
  }
  if (isFailure(thrown)) {
    const details = thrown.bytes === undefined ? {} : { bytes: thrown.bytes };
    return { code: thrown.code, message: thrown.message, details };
  }
  if (thrown instanceof DOMException && thrown.name === 'AbortError') {
    return { code: 'aborted', message: 'stopped on request', details: {} };
  }
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown), details: {} };
}

/** Data as an error. */
export function fromPlain({ code, message, details }: PlainError): HalaError {
  return new HalaError(code, message, details);
}

/** What the module throws. */
function isFailure(thrown: unknown): thrown is Failure & { code: HalaErrorCode } {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown
    && typeof thrown.code === 'string' && !(thrown instanceof Error);
}
