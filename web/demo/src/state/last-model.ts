// Which model was used last, so that a later visit begins with it.

import type { ModelChoice } from './engine.js';

type Remembered = Extract<ModelChoice, { kind: 'url' }>;

const KEY = 'hala.model';

/** Remembers a model. Files that the user chose cannot be had again without asking; the built-in one is there in any case. */
export function remember(choice: ModelChoice): void {
  try {
    if (choice.kind === 'url') localStorage.setItem(KEY, JSON.stringify({ url: choice.url, name: choice.name }));
    else localStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing begins with the built-in model.
  }
}

/** The model that was used last; undefined where it is the built-in one. */
export function lastModel(): Remembered | undefined {
  try {
    const { url, name } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, unknown>;
    return typeof url === 'string' && typeof name === 'string' ? { kind: 'url', url, name } : undefined;
  } catch {
    return undefined;
  }
}
