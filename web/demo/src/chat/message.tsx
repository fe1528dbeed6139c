// One message: what the user wrote, or what the model answered.

import { directionOf } from 'hala-web';
import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { copyText } from '../ui/clipboard.js';
import { IconButton } from '../ui/icon-button.js';
import type { Message } from './conversations.js';
import { Lines, MarkdownText } from './markdown-text.js';
import { answer, type Reply } from './reply.js';
import { find } from './state.js';
import { ThoughtNote } from './thought.js';

interface Props {
  conversation: string;
  message: Message;
  /** Where the message is a reply that is being written. */
  reply: Reply | undefined;
  isLast: boolean;
  /** Whether a reply is being written, which changes of what it answers wait for. */
  isBusy: boolean;
}

/** It is made anew only where it changes: a conversation may have hundreds. */
export const MessageItem = memo(function MessageItem({ conversation, message, reply, isLast, isBusy }: Props) {
  const [isEdited, setEdited] = useState(false);
  const edit = (content: string) => {
    setEdited(false);
    void answer(conversation, from(conversation, message), content);
  };
  if (isEdited) return <li><Editor text={message.content} onSave={edit} onCancel={() => setEdited(false)} /></li>;
  return (
    <li>
      {message.role === 'user' ? <Asked text={message.content} /> : <Answered message={message} reply={reply} />}
      {!reply && <State conversation={conversation} message={message} isLast={isLast} isBusy={isBusy} />}
      {!isBusy && <Tools conversation={conversation} message={message} isLast={isLast} onEdit={() => setEdited(true)} />}
    </li>
  );
});

/** A message and what follows it. */
function from(conversation: string, message: Message): Message[] {
  const messages = find(conversation)?.messages ?? [];
  return messages.slice(messages.findIndex(({ id }) => id === message.id));
}

function Asked({ text }: { text: string }) {
  return (
    <article class="message user" aria-label={texts.value.you} lang={languageOf(text)} dir={directionOf(text) ?? 'auto'}>
      <Lines text={text} />
    </article>
  );
}

/** A reply, as it comes or whole. It is no live region: its beginning and end are announced elsewhere. */
function Answered({ message, reply }: Pick<Props, 'message' | 'reply'>) {
  const text = reply ? reply.text.value : message.content;
  const thought = (reply ? reply.thought.value : message.thought?.text ?? '').trim();
  return (
    <>
      {thought !== '' && <ThoughtNote text={thought} seconds={reply ? reply.seconds.value : message.thought?.seconds} />}
      {(text !== '' || (reply && thought === '')) && <Answer text={text} reply={reply} />}
    </>
  );
}

function Answer({ text, reply }: { text: string; reply: Reply | undefined }) {
  const t = texts.value;
  const waits = reply?.waits.value;
  const waiting = waits ? { model: t.waiting, turn: t.waitingTurn }[waits] : t.generating;
  return (
    <article class="message assistant" aria-label={t.model} aria-busy={reply !== undefined} lang={languageOf(text)} dir={text ? directionOf(text) ?? 'auto' : undefined}>
      {text === '' ? <p class="placeholder">{waiting}</p> : <MarkdownText text={text} isGrowing={reply !== undefined} />}
    </article>
  );
}

/** What is to be said of a reply that is not as it should be. */
function State({ conversation, message, isLast, isBusy }: Omit<Props, 'reply'>) {
  const t = texts.value;
  if (message.partial) return <p class="detail">{t.partial}</p>;
  if (message.role === 'user' || message.content.trim() !== '') return null;
  return (
    <p class="note">
      {message.thought ? t.onlyThought : t.emptyReply} {isLast && !isBusy && <button type="button" onClick={() => void answer(conversation, [message])}>{t.tryAgain}</button>}
    </p>
  );
}

function Tools({ conversation, message, isLast, onEdit }: Pick<Props, 'conversation' | 'message' | 'isLast'> & { onEdit: () => void }) {
  const t = texts.value;
  const isUser = message.role === 'user';
  return (
    <div class={`message-tools ${message.role}`}>
      {message.content !== '' && <IconButton icon="copy" label={t.copy} onClick={() => void copyText(message.content)} />}
      {isUser && <IconButton icon="edit" label={t.edit} onClick={onEdit} />}
      {isLast && <IconButton icon="again" label={t.regenerate} onClick={() => void answer(conversation, isUser ? [] : [message])} />}
    </div>
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
