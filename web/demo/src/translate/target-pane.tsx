// The translation, sentence by sentence once it is whole.

import { directionOf } from 'hala-web';
import { useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { formatNumber } from '../i18n/numbers.js';
import { partsOf } from '../text/segments.js';
import { copyText } from '../ui/clipboard.js';
import { ErrorNote } from '../ui/error-note.js';
import { saveText } from '../ui/files.js';
import { IconButton } from '../ui/icon-button.js';
import { error, into, isRunning, pointed, result, source, target } from './translation.js';

export function TargetPane() {
  const t = texts.value;
  const dir = directionOf(target.value) ?? (into.value === 'ar' ? 'rtl' : 'ltr');
  return (
    <section class="pane" aria-label={t.targetLabel} aria-busy={isRunning.value}>
      <div class="output" lang={result.value?.to ?? into.value} dir={target.value ? dir : undefined}>
        {target.value === '' ? <span class="placeholder">{t.targetPlaceholder}</span> : <Sentences />}
        {isRunning.value && <span class="caret" aria-hidden="true" />}
      </div>
      {error.value && <ErrorNote error={error.value} />}
      <Foot />
    </section>
  );
}

function Sentences() {
  const parts = partsOf(target.value, result.value?.segments ?? [], 'target');
  return (
    <>
      {parts.map(({ text, index }) => (index === undefined ? text : (
        <span
          key={index} tabIndex={0} class={index === pointed.value ? 'sentence pointed' : 'sentence'}
          onMouseEnter={() => { pointed.value = index; }} onMouseLeave={() => { pointed.value = undefined; }}
          onFocus={() => { pointed.value = index; }} onBlur={() => { pointed.value = undefined; }}
        >{text}</span>
      )))}
    </>
  );
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
      <IconButton icon="copy" label={isCopied ? t.copied : t.copy} disabled={!target.value} onClick={() => void copy()} />
      <IconButton icon="save" label={t.saveFile} disabled={!result.value} onClick={save} />
      <span class="count">
        {isRunning.value ? t.translating : speed > 0 && <bdi>{t.perSecond(formatNumber(speed, { maximumFractionDigits: 0 }))}</bdi>}
      </span>
    </footer>
  );
}
