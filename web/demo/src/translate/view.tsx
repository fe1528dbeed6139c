// The translator: two panes, and between them which language becomes which.

import { useEffect, useRef } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { isBuiltIn } from '../state/engine.js';
import type { SentenceText } from '../text/sentence-text.js';
import { announce } from '../ui/announcer.js';
import { IconButton } from '../ui/icon-button.js';
import { SentenceNotes, summary } from './sentence-notes.js';
import { SourcePane } from './source-pane.js';
import { TargetPane } from './target-pane.js';
import { from, into, isRunning, result, seems, source, swap, written } from './translation.js';

export function TranslateView() {
  const t = texts.value;
  const text = useRef<SentenceText | undefined>(undefined);
  useEffect(() => {
    if (isRunning.value) announce(t.translating);
    else if (result.value) announce(`${t.translated}. ${summary.value}`);
  }, [isRunning.value, result.value]);
  return (
    <div class="translate">
      <div class="languages">
        <SourceLanguage />
        <IconButton icon="swap" label={t.swap} onClick={swap} />
        <div class="into"><span class="visually-hidden">{t.to}: </span>{t.languages[result.value?.to ?? into.value]}</div>
      </div>
      <div class="panes">
        <SourcePane />
        <TargetPane text={text} />
      </div>
      <SentenceNotes goTo={(index) => text.current?.element(index)?.focus()} />
      {isBuiltIn.value && <p class="note">{t.demoNotice}</p>}
    </div>
  );
}

function SourceLanguage() {
  const t = texts.value;
  const isFound = from.value === undefined && source.value.trim() !== '' && seems.value !== 'und';
  const found = isFound ? t.detected(t.languages[result.value?.from ?? written.value]) : t.detect;
  return (
    <div role="radiogroup" aria-label={t.from} class="choices">
      {([undefined, 'ar', 'en'] as const).map((language) => (
        <label key={language ?? 'auto'}>
          <input type="radio" name="from" checked={from.value === language} onChange={() => { from.value = language; }} />
          <span>{language ? t.languages[language] : found}</span>
        </label>
      ))}
    </div>
  );
}
