// Stands in for threads.ts in a package that is built without the module for several threads, as `cargo xtask web --one-thread` does.

import type * as threads from './threads.js';

const absent = () => Promise.reject(new Error('this package was built without the module for several threads; `cargo xtask web` builds it too'));

export const startThreads: typeof threads.startThreads = absent;
export const lendThread: typeof threads.lendThread = absent;
