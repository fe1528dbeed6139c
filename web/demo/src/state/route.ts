// Which view is open: the part of the address behind `#`, so that any static host serves it.

import { signal } from '@preact/signals';

export type View = 'translate' | 'chat';

const current = (): View => (location.hash === '#chat' ? 'chat' : 'translate');

export const view = signal<View>(current());

addEventListener('hashchange', () => {
  view.value = current();
});
