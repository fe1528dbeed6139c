// Where the next message is written. It stays usable while a model loads or writes.

import { signal } from '@preact/signals';
import { texts } from '../i18n/i18n.js';
import { directionOf, withoutControls } from '../text/direction.js';
import { IconButton } from '../ui/icon-button.js';
import { answer, reply, stopReply } from './reply.js';
import { begin, open } from './state.js';

const draft = signal('');

export function Composer() {
  const t = texts.value;
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <textarea
        aria-label={t.messageLabel} placeholder={t.messagePlaceholder} title={t.keys} value={draft.value} rows={1}
        dir={directionOf(draft.value)} onInput={(event) => { draft.value = withoutControls(event.currentTarget.value); }} onKeyDown={onKey}
      />
      {reply.value
        ? <IconButton icon="stop" label={t.stop} class="icon-button primary" onClick={stopReply} />
        : <IconButton icon="send" label={t.send} class="icon-button primary" type="submit" disabled={!draft.value.trim()} />}
    </form>
  );
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
  if (!content || reply.value) return;
  draft.value = '';
  const conversation = open.value ?? begin();
  void answer(conversation, [...conversation.messages, { role: 'user', content }]);
}
