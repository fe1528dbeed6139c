// Chat: the conversations, the open one, and where the next message is written.

import { useEffect, useRef, useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { formatNumber } from '../i18n/numbers.js';
import { hala, info, isBuiltIn } from '../state/engine.js';
import { announce } from '../ui/announcer.js';
import { openDialog } from '../ui/dialog.js';
import { ErrorNote } from '../ui/error-note.js';
import { IconButton } from '../ui/icon-button.js';
import { afterPause } from '../ui/pause.js';
import { Composer } from './composer.js';
import { set, type Conversation } from './conversations.js';
import { Messages } from './messages.js';
import { outcomes, promptOf, replies, stopReply } from './reply.js';
import { isListOpen, Sidebar } from './sidebar.js';
import { change, open, openId } from './state.js';

export function ChatView() {
  const t = texts.value;
  const isWriting = replies.value.has(openId.value ?? '');
  const outcome = outcomes.value.get(openId.value ?? '');
  const wasWriting = useRef(false);
  useEffect(() => {
    if (isWriting) announce(t.generating);
    else if (wasWriting.current) announce(t.generated);
    wasWriting.current = isWriting;
  }, [isWriting]);
  return (
    <div class="chat" onKeyDown={(event) => { if (event.key === 'Escape') stopReply(openId.value); }}>
      <Sidebar />
      <section class="conversation" aria-label={t.chat}>
        <div class="conversation-head">
          <IconButton icon="menu" label={t.conversations} aria-expanded={isListOpen.value} onClick={() => { isListOpen.value = !isListOpen.value; }} />
          {open.value && <Instructions key={open.value.id} conversation={open.value} />}
          <ContextMeter />
        </div>
        {isBuiltIn.value && (
          <p class="note">{t.translatorNotice} <button type="button" onClick={() => openDialog('models')}>{t.chooseTalker}</button></p>
        )}
        <Messages />
        {outcome !== undefined && outcome.dropped > 0 && <p class="note">{t.dropped(outcome.dropped)}</p>}
        {outcome?.error && <ErrorNote error={outcome.error} />}
        <Composer />
      </section>
    </div>
  );
}

/** A conversation is kept whole, which may be much for each key. */
const keepSystem = afterPause((id: string, system: string) => void change(id, set({ system })));

function Instructions({ conversation: { id, system } }: { conversation: Conversation }) {
  const t = texts.value;
  const [written, setWritten] = useState(system);
  useEffect(() => setWritten(system), [system]);
  const write = (text: string) => {
    setWritten(text);
    keepSystem(id, text);
  };
  return (
    <details class="instructions">
      <summary>{t.systemPrompt}</summary>
      <textarea
        aria-label={t.systemPrompt} placeholder={t.systemPlaceholder} dir="auto" value={written} rows={2} onInput={(event) => write(event.currentTarget.value)}
        onBlur={(event) => { if (event.currentTarget.value !== system) void change(id, set({ system: event.currentTarget.value })); }}
      />
    </details>
  );
}

/** How much of the context the open conversation fills. */
function ContextMeter() {
  const t = texts.value;
  const [used, setUsed] = useState(0);
  const conversation = open.value;
  const isWriting = replies.value.has(conversation?.id ?? '');
  useEffect(() => {
    if (isWriting) return;
    setUsed(0);
    if (conversation?.messages.length) void hala.value?.countPrompt(promptOf(conversation, conversation.messages)).then(setUsed, () => setUsed(0));
  }, [conversation, hala.value, isWriting]);
  const all = info.value?.model.context;
  if (!used || !all) return null;
  const label = t.contextUsed(formatNumber(used), formatNumber(all));
  return <div class="meter"><meter aria-label={label} title={label} min={0} max={all} high={all * 0.9} value={used} /><span>{label}</span></div>;
}
