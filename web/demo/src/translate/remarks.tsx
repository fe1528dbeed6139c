// What helps before and beside a translation: sentences to try, and a word where a text is in another language than it should be.

import type { LanguageCode } from 'hala-web';
import { texts } from '../i18n/i18n.js';
import { isBuiltIn } from '../state/engine.js';
import { from, seems, source, written } from './translation.js';

/** Sentences that the built-in model translates well: a test holds it. */
export const SAMPLES: readonly { language: LanguageCode; text: string }[] = [
  { language: 'ar', text: 'صباح الخير. أين المحطة؟' },
  { language: 'en', text: 'Thank you. Where is the station?' },
  { language: 'ar', text: 'شكرا لك.' },
];

/** Sentences to tap while nothing is written. */
export function Samples() {
  const t = texts.value;
  if (!isBuiltIn.value) return null;
  return (
    <div class="samples" role="group" aria-label={t.samples}>
      {SAMPLES.map(({ language, text }) => (
        <button key={text} type="button" lang={language} dir={language === 'ar' ? 'rtl' : 'ltr'} onClick={() => { source.value = text; }}>{text}</button>
      ))}
    </div>
  );
}

/** Says where the text is in no known language, or already in the one that it is to be translated into. */
export function Remarks() {
  const t = texts.value;
  const found = seems.value;
  if (found === 'und') return <p role="status" class="note">{t.notKnown}</p>;
  if (from.value === undefined || found === undefined || found === written.value) return null;
  return (
    <p role="status" class="note">
      {t.alreadyIn(t.languages[found])}
      {' '}
      <button type="button" onClick={() => { from.value = found; }}>{t.otherWay(t.languages[found], t.languages[written.value])}</button>
    </p>
  );
}
