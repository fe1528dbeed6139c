// The service worker: keeps the page for use without a network, and tells of new versions.

import { signal } from '@preact/signals';
import { registerSW } from 'virtual:pwa-register';
import { texts } from '../i18n/i18n.js';

/** Takes the new version; undefined where there is none. */
const update = signal<(() => void) | undefined>(undefined);

/** Keeps the page and the built-in model. */
export function keepOffline(): void {
  const take = registerSW({ onNeedRefresh: () => { update.value = () => void take(true); } });
}

export function UpdateNote() {
  if (!update.value) return null;
  const t = texts.value;
  return (
    <div role="status" class="update">
      <span>{t.newVersion}</span>
      <button type="button" onClick={update.value}>{t.reload}</button>
    </div>
  );
}
