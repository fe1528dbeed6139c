// The translation as it comes, and sentence by sentence once it is whole.

import { computed, effect } from '@preact/signals';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { formatNumber } from '../i18n/numbers.js';
import { SentenceText } from '../text/sentence-text.js';
import { copyText } from '../ui/clipboard.js';
import { ErrorNote } from '../ui/error-note.js';
import { saveText } from '../ui/files.js';
import { IconButton } from '../ui/icon-button.js';
import { isDoubtful } from './segment-remarks.js';
import { remarks, wordsId } from './sentence-notes.js';
import { error, into, isRunning, pointed, result, source, target } from './translation.js';

/** Components that look at this are made anew at the first piece, where all of the text would make them anew at each. */
const isEmpty = computed(() => target.value === '');

/** Where the translation is written, for whoever leads to one of its sentences. */
export interface Written {
  current: SentenceText | undefined;
}

export function TargetPane({ text }: { text: Written }) {
  const t = texts.value;
  const language = result.value?.to ?? into.value;
  return (
    <section class="pane" aria-label={t.targetLabel} aria-busy={isRunning.value}>
      <div class={isRunning.value ? 'output running' : 'output'} lang={language} dir={language === 'ar' ? 'rtl' : 'ltr'}>
        {isEmpty.value && <span class="placeholder">{t.targetPlaceholder}</span>}
        <Text text={text} />
      </div>
      {error.value && <ErrorNote error={error.value} />}
      <Foot />
    </section>
  );
}

/** What is written here is no component's, so that a piece costs the same however much there is. */
function Text({ text }: { text: Written }) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const shown = (text.current = new SentenceText(host.current!, decorate));
    const ends = [
      effect(() => shown.show(target.value)),
      effect(() => { if (result.value) shown.mark(result.value.segments.map((segment) => segment.target)); }),
      effect(() => shown.point(pointed.value)),
    ];
    return () => {
      for (const end of ends) end();
      shown.stop();
    };
  }, []);
  return (
    <div
      ref={host} onMouseOver={(event) => point(event.target)} onMouseLeave={() => { pointed.value = undefined; }}
      onFocusIn={(event) => point(event.target)} onFocusOut={() => { pointed.value = undefined; }}
      onKeyDown={(event) => { if (result.value && text.current) move(event, text.current); }}
    />
  );
}

/** The first sentence that has a translation. */
const first = computed(() => result.value?.segments.findIndex(({ target: [start, end] }) => start < end));

/** One of the sentences is reached by Tab, and the others from it by arrows: a text has hundreds. */
function decorate(element: HTMLElement, index: number): void {
  const here = remarks.value[index] ?? [];
  element.className = here.length === 0 ? 'sentence' : `sentence ${isDoubtful(here) ? 'doubtful' : 'remarked'}`;
  element.tabIndex = index === first.value ? 0 : -1;
  element.dataset['index'] = String(index);
  if (here.length > 0) element.setAttribute('aria-describedby', here.map(wordsId).join(' '));
}

/** The number of the sentence that an element is. */
function indexOf(element: EventTarget | null): number | undefined {
  const index = element instanceof HTMLElement ? element.dataset['index'] : undefined;
  return index === undefined || !result.value ? undefined : Number(index);
}

function point(element: EventTarget | null): void {
  pointed.value = indexOf(element);
}

/** Goes to the sentence before or after, as the arrow points in the text's direction. */
function move(event: KeyboardEvent, text: SentenceText): void {
  const here = indexOf(event.target);
  if (here === undefined) return;
  const isRightToLeft = getComputedStyle(text.host).direction === 'rtl';
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, ArrowRight: isRightToLeft ? -1 : 1, ArrowLeft: isRightToLeft ? 1 : -1 };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const n_sentences = result.value?.segments.length ?? 0;
  // Sentences without a translation have no element.
  let there = here + step;
  while (there >= 0 && there < n_sentences && !text.element(there)) there += step;
  text.element(there)?.focus();
}

function Foot() {
  const t = texts.value;
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(target.value);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  const save = () => {
    const isMarkdown = /^(#{1,6} |[-*] |```|> )/m.test(source.value);
    saveText(isMarkdown ? 'translation.md' : 'translation.txt', isMarkdown ? 'text/markdown' : 'text/plain', target.value);
  };
  const speed = result.value?.timings.predicted_per_second ?? 0;
  return (
    <footer class="pane-foot">
      <IconButton icon="copy" label={isCopied ? t.copied : t.copy} disabled={isEmpty.value} onClick={() => void copy()} />
      <IconButton icon="save" label={t.saveFile} disabled={!result.value} onClick={save} />
      <span class="count">
        {isRunning.value ? t.translating : speed > 0 && <bdi>{t.perSecond(formatNumber(speed, { maximumFractionDigits: 0 }))}</bdi>}
      </span>
    </footer>
  );
}
