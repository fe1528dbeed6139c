// Puts the standard shapes where the browser has none of its own.

import type { LoadOptions } from '../types.js';
import { LanguageDetector } from './language-detector.js';
import { configureLanguageModel, LanguageModel } from './language-model.js';
import { Translator } from './translator.js';

/**
 * Installs Translator, LanguageDetector and LanguageModel on the global object where it lacks them, and names those.
 * LanguageModel needs a `model`: the built-in one only translates. `force` takes the place of the browser's own too, which may be there
 * without a model that this machine can have.
 */
export function polyfill({ force = false, ...options }: LoadOptions & { force?: boolean } = {}): string[] {
  if (options.model) configureLanguageModel(options);
  const shapes = { Translator, LanguageDetector, ...(options.model ? { LanguageModel } : {}) };
  const missing = Object.entries(shapes).filter(([name]) => force || !(name in globalThis));
  for (const [name, value] of missing) Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  return missing.map(([name]) => name);
}
