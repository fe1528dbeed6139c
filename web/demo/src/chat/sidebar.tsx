// The conversations: open, name, delete, export, import.

import { signal } from '@preact/signals';
import { directionOf } from 'hala-web';
import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { formatDate } from '../i18n/numbers.js';
import { announce } from '../ui/announcer.js';
import { chooseFiles, readText, saveText } from '../ui/files.js';
import { Icon } from '../ui/icon.js';
import { IconButton } from '../ui/icon-button.js';
import { set, titleOf, toFile, type Conversation } from './conversations.js';
import { begin, change, conversations, importFile, isKept, openId, remove } from './state.js';

/** Whether the list is shown where there is no room for it beside the conversation. */
export const isListOpen = signal(false);

export function Sidebar() {
  const t = texts.value;
  const [fault, setFault] = useState(false);
  const importChosen = async () => {
    const [file] = await chooseFiles('.json,application/json');
    // What was exported can be imported, however much it is.
    const read = file && (await readText(file, Infinity));
    if (!read) return;
    const n = 'text' in read ? importFile(read.text) : undefined;
    setFault(n === undefined);
    if (n !== undefined) announce(t.imported(n));
  };
  return (
    <aside class={isListOpen.value ? 'sidebar open' : 'sidebar'} aria-label={t.conversations}>
      <button type="button" class="primary" onClick={() => { begin(); isListOpen.value = false; }}><Icon name="plus" /> {t.newChat}</button>
      <ul>
        {conversations.value.map((conversation) => <Entry key={conversation.id} conversation={conversation} isOpen={conversation.id === openId.value} />)}
      </ul>
      {fault && <p role="alert" class="note note-error">{t.importFailed}</p>}
      {!isKept.value && <p class="note">{t.notKept}</p>}
      <div class="row">
        <button type="button" onClick={() => saveText('hala-conversations.json', 'application/json', toFile(conversations.value))}>{t.exportAll}</button>
        <button type="button" onClick={() => void importChosen()}>{t.importAll}</button>
      </div>
    </aside>
  );
}

/** It is made anew only where it changes: there may be hundreds. */
const Entry = memo(function Entry({ conversation, isOpen }: { conversation: Conversation; isOpen: boolean }) {
  const t = texts.value;
  const { id } = conversation;
  const title = titleOf(conversation) || t.untitled;
  const [isNamed, setNamed] = useState(false);
  const name = (title: string) => {
    setNamed(false);
    void change(id, set({ title: title.trim() }));
  };
  if (isNamed) {
    return (
      <li>
        <input
          aria-label={t.rename} value={title} autofocus onBlur={(event) => name(event.currentTarget.value)}
          onKeyDown={(event) => { if (event.key === 'Enter') name(event.currentTarget.value); }}
        />
      </li>
    );
  }
  return (
    <li class={isOpen ? 'current' : ''}>
      <button
        type="button" class="entry" aria-current={isOpen ? 'true' : undefined} title={formatDate(conversation.changed)}
        dir={directionOf(title) ?? 'auto'} onClick={() => { openId.value = id; isListOpen.value = false; }}
      >{title}</button>
      <IconButton icon="edit" label={`${t.rename}: ${title}`} onClick={() => setNamed(true)} />
      <IconButton icon="remove" label={`${t.remove}: ${title}`} onClick={() => { if (confirm(t.removeAsked)) remove(id); }} />
    </li>
  );
});
