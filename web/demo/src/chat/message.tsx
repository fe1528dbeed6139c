// One message: what the user wrote, or what the model answered.

import { directionOf } from 'hala-web';
import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { copyText } from '../ui/clipboard.js';
import { IconButton } from '../ui/icon-button.js';
import type { Message } from './conversations.js';
import { MarkdownText } from './markdown-text.js';
import { answer, type Reply } from './reply.js';
import { find } from './state.js';

interface Props {
  conversation: string;
  message: Message;
  isLast: boolean;
  /** Whether a reply is being written, which changes of what it answers wait for. */
  isBusy: boolean;
}

/** It is made anew only where it changes: a conversation may have hundreds. */
export const MessageItem = memo(function MessageItem({ conversation, message, isLast, isBusy }: Props) {
  const t = texts.value;
  const [isEdited, setEdited] = useState(false);
  const isUser = message.role === 'user';
  /** This message and what follows it. */
  const rest = () => {
    const messages = find(conversation)?.messages ?? [];
    return messages.slice(messages.findIndex(({ id }) => id === message.id));
  };
  const edit = (content: string) => {
    setEdited(false);
    void answer(conversation, rest(), content);
  };
  if (isEdited) return <li><Editor text={message.content} onSave={edit} onCancel={() => setEdited(false)} /></li>;
  return (
    <li>
      <article class={`message ${message.role}`} aria-label={isUser ? t.you : t.model} lang={languageOf(message.content)} dir={directionOf(message.content) ?? 'auto'}>
        {isUser ? <Lines text={message.content} /> : <MarkdownText text={message.content} />}
      </article>
      {message.partial && <p class="detail">{t.partial}</p>}
      {!isBusy && (
        <div class={`message-tools ${message.role}`}>
          <IconButton icon="copy" label={t.copy} onClick={() => void copyText(message.content)} />
          {isUser && <IconButton icon="edit" label={t.edit} onClick={() => setEdited(true)} />}
          {isLast && <IconButton icon="again" label={t.regenerate} onClick={() => void answer(conversation, isUser ? [] : [message])} />}
        </div>
      )}
    </li>
  );
});

/** Each line in its own direction, or the message's. */
function Lines({ text }: { text: string }) {
  return <>{text.split('\n').map((line, index) => <p key={index} dir={directionOf(line)}>{line || '\u00a0'}</p>)}</>;
}

/** The reply as it comes. It is no live region: its beginning and end are announced elsewhere. */
export function ReplyItem({ reply: { text, waits } }: { reply: Reply }) {
  const t = texts.value;
  const waiting = waits ? { model: t.waiting, turn: t.waitingTurn }[waits] : t.generating;
  return (
    <li>
      <article class="message assistant" aria-label={t.model} aria-busy="true" lang={languageOf(text)} dir={text ? directionOf(text) ?? 'auto' : undefined}>
        {text === '' ? <p class="placeholder">{waiting}</p> : <MarkdownText text={text} />}
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
