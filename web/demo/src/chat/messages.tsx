// The messages of the open conversation. The list follows what is written, unless its reader has scrolled up.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { isBuiltIn } from '../state/engine.js';
import type { Conversation } from './conversations.js';
import { MessageItem } from './message.js';
import { replies } from './reply.js';
import { open } from './state.js';

/** Messages that are made at once: the last ones, which are looked at first, while code that has not run yet is slow. */
const AT_ONCE = 2;
/** Earlier ones come so many at a time, between other work. */
const THEN = 4;
/** Pixels from the end within which a reader is taken to be at the end. */
const NEAR = 48;

export function Messages() {
  const t = texts.value;
  const conversation = open.value;
  if (conversation && conversation.messages.length > 0) {
    return <List key={conversation.id} conversation={conversation} />;
  }
  return <p class="empty">{isBuiltIn.value ? t.emptyTranslator : t.emptyChat}</p>;
}

function List({ conversation: { id, messages } }: { conversation: Conversation }) {
  const t = texts.value;
  const list = useRef<HTMLOListElement>(null);
  const reply = replies.value.get(id);
  const n_shown = useShown(messages.length);
  useFollowing(list);
  return (
    <ol class="messages" ref={list} tabIndex={0} aria-label={t.chat} aria-busy={n_shown < messages.length}>
      {messages.slice(-n_shown).map((message) => (
        <MessageItem
          key={message.id} conversation={id} message={message} reply={message.id === reply?.id ? reply : undefined}
          isLast={message === messages.at(-1)} isBusy={reply !== undefined}
        />
      ))}
    </ol>
  );
}

/** How many messages are shown: a few at first, then all. */
function useShown(n_messages: number): number {
  const [n_shown, setShown] = useState(AT_ONCE);
  useEffect(() => {
    if (n_shown >= n_messages) return;
    const timer = setTimeout(() => setShown(n_shown + THEN));
    return () => clearTimeout(timer);
  }, [n_shown, n_messages]);
  return n_shown;
}

/** Keeps the end of a list in sight, from when it is there and whatever makes it longer, until its reader scrolls up. */
function useFollowing(list: { current: HTMLOListElement | null }): void {
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    let follows = true;
    let last = { top: 0, all: 0, seen: 0 };
    const look = () => {
      const now = { top: element.scrollTop, all: element.scrollHeight, seen: element.clientHeight };
      // A list that became longer or smaller scrolls too, without its reader.
      const isReader = now.all === last.all && now.seen === last.seen;
      if (now.all - now.top - now.seen < NEAR) follows = true;
      else if (isReader && now.top < last.top) follows = false;
      last = now;
    };
    // Whoever unfolds a thought reads it from its beginning. This comes before what the click changes.
    const stay = (event: Event) => { if ((event.target as Element).closest('summary')) follows = false; };
    const follow = () => {
      if (follows) element.scrollTop = element.scrollHeight;
      look();
    };
    const changes = new MutationObserver(follow);
    const sizes = new ResizeObserver(follow);
    changes.observe(element, { childList: true, subtree: true, characterData: true });
    sizes.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    element.addEventListener('click', stay, { capture: true });
    follow();
    return () => {
      changes.disconnect();
      sizes.disconnect();
      element.removeEventListener('scroll', look);
      element.removeEventListener('click', stay, { capture: true });
    };
  }, []);
}
