// Where the next message is written. It stays usable while a model loads or writes.

import { computed, effect, signal } from '@preact/signals';
import { directionOf } from 'hala-web';
import { texts } from '../i18n/i18n.js';
import { isBuiltIn } from '../state/engine.js';
import { withoutControls } from '../text/characters.js';
import { drafts } from '../ui/drafts.js';
import { IconButton } from '../ui/icon-button.js';
import { answer, replies, stopReply } from './reply.js';
import { begin, openId } from './state.js';

const kept = drafts('message');
/** What is written in the open conversation; before the first one is opened, in the one to come. */
const place = computed(() => openId.value ?? 'new');
const draft = signal('');
effect(() => { draft.value = kept.get(place.value); });

export function Composer() {
  const t = texts.value;
  const isWriting = openId.value !== undefined && replies.value.has(openId.value);
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <textarea
        aria-label={t.messageLabel} placeholder={isBuiltIn.value ? t.translatePlaceholder : t.messagePlaceholder} title={t.keys} value={draft.value} rows={1}
        dir={directionOf(draft.value)} onInput={(event) => write(withoutControls(event.currentTarget.value))} onKeyDown={onKey}
      />
      {isWriting
        ? <IconButton icon="stop" label={t.stop} class="icon-button primary" onClick={() => stopReply(openId.value)} />
        : <IconButton icon="send" label={t.send} class="icon-button primary" type="submit" disabled={!draft.value.trim()} />}
    </form>
  );
}

function write(text: string): void {
  draft.value = text;
  kept.set(place.value, text);
}

function onKey(event: KeyboardEvent): void {
  // While an input method is composing, Enter takes its suggestion.
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
}

function send(): void {
  const content = draft.value.trim();
  if (!content || (openId.value !== undefined && replies.value.has(openId.value))) return;
  write('');
  void answer(openId.value ?? begin().id, [], content);
}
