// What opens over the page: the browser's own modal dialog, which keeps the focus and gives it back.

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { IconButton } from './icon-button.js';

type DialogName = 'models' | 'status' | 'about';

const opened = signal<DialogName | undefined>(undefined);

export function openDialog(name: DialogName): void {
  opened.value = name;
}

export function closeDialog(): void {
  opened.value = undefined;
}

export function Dialog({ name, title, children }: { name: DialogName; title: string; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = opened.value === name;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog} aria-labelledby={`${name}-title`} onClose={closeDialog}
      onClick={(event) => { if (event.target === dialog.current) closeDialog(); }}
    >
      {isOpen && (
        <div class="dialog-body">
          <header><h2 id={`${name}-title`}>{title}</h2><IconButton icon="clear" label={texts.value.close} onClick={closeDialog} /></header>
          {children}
        </div>
      )}
    </dialog>
  );
}
