// What a model thought before it answered: open while it thinks, folded once it answers, and as its reader wants it from then on.

import { directionOf } from 'hala-web';
import { useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { MarkdownText } from './markdown-text.js';

interface Props {
  text: string;
  /** How long it took; undefined while it goes on. */
  seconds: number | undefined;
}

export function ThoughtNote({ text, seconds }: Props) {
  const t = texts.value;
  const [chosen, choose] = useState<boolean | undefined>(undefined);
  const isOver = seconds !== undefined;
  const isOpen = chosen ?? !isOver;
  const toggle = (event: Event) => {
    // The browser would change an attribute that is this component's.
    event.preventDefault();
    choose(!isOpen);
  };
  return (
    <details class="thought" open={isOpen}>
      <summary onClick={toggle}>{isOver ? t.thoughtFor(Math.max(1, Math.round(seconds))) : t.thinking}</summary>
      {isOpen && <div class="thought-text" lang={directionOf(text) === 'rtl' ? 'ar' : 'en'} dir={directionOf(text) ?? 'auto'}><MarkdownText text={text} isGrowing={!isOver} /></div>}
    </details>
  );
}
