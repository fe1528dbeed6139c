// The package's entry.

export { HalaError, type HalaErrorCode, type HalaErrorDetails } from './errors.js';
export { Hala } from './hala.js';
export type * from './types.js';
