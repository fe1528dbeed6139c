// One message: what the user wrote, or what the model answered.

import { useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { directionOf } from '../text/direction.js';
import { IconButton } from '../ui/icon-button.js';
import type { Conversation, Message } from './conversations.js';
import { MarkdownText } from './markdown-text.js';
import { answer, reply } from './reply.js';

interface Props {
  conversation: Conversation;
  index: number;
  message: Message;
}

export function MessageItem({ conversation, index, message }: Props) {
  const t = texts.value;
  const [isEdited, setEdited] = useState(false);
  const before = conversation.messages.slice(0, index);
  const isLast = index === conversation.messages.length - 1;
  const isUser = message.role === 'user';
  const edit = (content: string) => {
    setEdited(false);
    void answer(conversation, [...before, { role: 'user', content }]);
  };
  if (isEdited) return <li><Editor text={message.content} onSave={edit} onCancel={() => setEdited(false)} /></li>;
  return (
    <li>
      <article class={`message ${message.role}`} aria-label={isUser ? t.you : t.model} lang={languageOf(message.content)}>
        {isUser ? <Lines text={message.content} /> : <MarkdownText text={message.content} />}
      </article>
      {!reply.value && (
        <div class={`message-tools ${message.role}`}>
          <IconButton icon="copy" label={t.copy} onClick={() => void navigator.clipboard.writeText(message.content)} />
          {isUser && <IconButton icon="edit" label={t.edit} onClick={() => setEdited(true)} />}
          {isLast && (
            <IconButton icon="again" label={t.regenerate} onClick={() => void answer(conversation, isUser ? conversation.messages : before)} />
          )}
        </div>
      )}
    </li>
  );
}

/** Each line in its own direction. */
function Lines({ text }: { text: string }) {
  return <>{text.split('\n').map((line, index) => <p key={index} dir={directionOf(line) ?? 'auto'}>{line || '\u00a0'}</p>)}</>;
}

/** The reply as it comes. It is no live region: its beginning and end are announced elsewhere. */
export function ReplyItem({ text, waiting }: { text: string; waiting: boolean }) {
  const t = texts.value;
  return (
    <li>
      <article class="message assistant" aria-label={t.model} aria-busy="true" lang={languageOf(text)}>
        {text === '' ? <p class="placeholder">{waiting ? t.waiting : t.generating}</p> : <MarkdownText text={text} />}
      </article>
    </li>
  );
}

function languageOf(text: string): 'ar' | 'en' {
  return directionOf(text) === 'rtl' ? 'ar' : 'en';
}

function Editor({ text, onSave, onCancel }: { text: string; onSave: (text: string) => void; onCancel: () => void }) {
  const t = texts.value;
  const [draft, setDraft] = useState(text);
  return (
    <form class="editor" onSubmit={(event) => { event.preventDefault(); if (draft.trim()) onSave(draft.trim()); }}>
      <textarea aria-label={t.edit} dir={directionOf(draft) ?? 'auto'} value={draft} autofocus onInput={(event) => setDraft(event.currentTarget.value)} />
      <div class="row">
        <button type="submit" class="primary">{t.save}</button>
        <button type="button" onClick={onCancel}>{t.cancel}</button>
      </div>
    </form>
  );
}
