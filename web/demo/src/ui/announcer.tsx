// Tells screen readers what began and what ended; streams themselves stay out of live regions, which would read every token.

import { signal } from '@preact/signals';

const spoken = signal('');

/** Says something once. */
export function announce(text: string): void {
  spoken.value = text;
}

export function Announcer() {
  return <div role="status" class="visually-hidden">{spoken}</div>;
}
