// What became of single sentences: a summary below the translation, and the words on the sentence that is pointed at.

import { computed } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { texts, type Texts } from '../i18n/i18n.js';
import { languageName } from '../i18n/numbers.js';
import { IconButton } from '../ui/icon-button.js';
import { KINDS, remarksOn, type Remark } from './segment-remarks.js';
import { pointed, result } from './translation.js';

/** Of each sentence. */
export const remarks = computed<readonly (readonly Remark[])[]>(() => (result.value?.segments ?? []).map(remarksOn));

/** Numbers of the sentences that have any. */
const remarked = computed(() => [...remarks.value.keys()].filter((index) => remarks.value[index]!.length > 0));

/** How many sentences there is what to say of, in a sentence for each kind; empty where there is nothing. */
export const summary = computed(() => {
  const t = texts.value;
  const kinds = remarked.value.map((index) => new Set(remarks.value[index]!.map(({ kind }) => kind)));
  const counts = KINDS.map((kind) => [kind, kinds.filter((of) => of.has(kind)).length] as const);
  return counts.filter(([, n]) => n > 0).map(([kind, n]) => t.remarkCounts[kind](n)).join(' ');
});

/** A remark in words. */
export function inWords(remark: Remark, t: Texts): string {
  switch (remark.kind) {
    case 'copied': return t.copiedBecause[remark.reason];
    case 'retried': return t.retried;
    case 'short': return t.shortBecause[remark.reason];
    case 'foreign': return t.foreign(languageName(remark.language));
  }
}

/** The id of a remark's words, by which a sentence's element names them to screen readers. */
export function wordsId(remark: Remark): string {
  return `remark-${Object.values(remark).join('-')}`;
}

/** `goTo` leads to a sentence by its number. */
export function SentenceNotes({ goTo }: { goTo: (index: number) => void }) {
  const t = texts.value;
  const gone = useRef(-1);
  useEffect(() => { gone.current = -1; }, [result.value]);
  if (remarked.value.length === 0) return null;
  const here = pointed.value === undefined ? [] : remarks.value[pointed.value] ?? [];
  const next = () => {
    gone.current = remarked.value.find((index) => index > gone.current) ?? remarked.value[0]!;
    goTo(gone.current);
  };
  const all = new Map(remarked.value.flatMap((index) => remarks.value[index]!).map((remark) => [wordsId(remark), remark]));
  return (
    <div class="note sentence-notes">
      <p>{here.length > 0 ? here.map((remark) => inWords(remark, t)).join(' ') : summary}</p>
      <IconButton icon="next" label={t.nextRemark} onClick={next} />
      <div hidden>{[...all].map(([id, remark]) => <span key={id} id={id}>{inWords(remark, t)}</span>)}</div>
    </div>
  );
}
