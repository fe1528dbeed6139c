// What was written and not sent yet: there again after this page was reloaded.

import { effect, signal, type Signal } from '@preact/signals';
import { afterPause } from './pause.js';

/** A text that survives a reload of this page, as long as the browser has room for it. */
export function draft(name: string): Signal<string> {
  const key = `hala.draft.${name}`;
  const text = signal(read(key));
  effect(() => keep(key, text.value));
  return text;
}

/** A text for each of many things, by id. */
export function drafts(name: string): { get: (id: string) => string; set: (id: string, text: string) => void } {
  const written = new Map<string, string>();
  const key = (id: string) => `hala.draft.${name}.${id}`;
  return {
    get: (id) => written.get(id) ?? read(key(id)),
    set: (id, text) => {
      written.set(id, text);
      keep(key(id), text);
    },
  };
}

/** A long text is not written at every key. */
const keep = afterPause(write);

function read(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

function write(key: string, text: string): void {
  try {
    if (text === '') sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {
    // A text that is too long to be kept is still there until the page is closed.
  }
}
