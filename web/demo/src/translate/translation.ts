// Translates what is written, a moment after each change; an earlier run is stopped.

import { computed, effect, signal } from '@preact/signals';
import { detectLanguage, directionOf, HalaError, type Hala, type LanguageCode, type Translation } from 'hala-web';
import { hala, tokensPerSecond } from '../state/engine.js';
import { draft } from '../ui/drafts.js';

/** Long enough to not begin at every key, short enough to feel at once. */
const DEBOUNCE_MS = 400;
/** Characters that a text's language is told by. */
const TELLING = 2000;
/** How likely a language must be to be spoken of. */
const SURE = 0.75;

export const source = draft('source');
/** Undefined where it is found out. */
export const from = signal<LanguageCode | undefined>(undefined);
/** The translation, as far as it has come. */
export const target = signal('');
/** The whole translation of what is written now. */
export const result = signal<Translation | undefined>(undefined);
export const isRunning = signal(false);
export const error = signal<HalaError | undefined>(undefined);
/** The sentence that is pointed at. */
export const pointed = signal<number | undefined>(undefined);

/** The language of what is written, as far as it can be told before the model is asked. */
export const written = computed<LanguageCode>(() => from.value ?? (directionOf(source.value) === 'rtl' ? 'ar' : 'en'));
export const into = computed<LanguageCode>(() => other(written.value));

/** What the text seems to be in, whatever was chosen; undefined where nothing tells. */
export const seems = computed<LanguageCode | 'und' | undefined>(() => {
  // A text's beginning tells enough, and this is asked at every key.
  const beginning = source.value.slice(0, TELLING);
  const [first] = detectLanguage(beginning);
  if (!first || !/\p{L}/u.test(beginning) || first.confidence < SURE) return undefined;
  return first.detectedLanguage as LanguageCode | 'und';
});

function other(language: LanguageCode): LanguageCode {
  return language === 'ar' ? 'en' : 'ar';
}

let stop: AbortController | undefined;
/** What was written last, and when: what waited for the model need not wait for the keys again. */
let last = { text: '', at: 0 };

effect(() => {
  const text = source.value;
  const model = hala.value;
  const language = from.value;
  if (text !== last.text) last = { text, at: performance.now() };
  stop?.abort();
  result.value = undefined;
  error.value = undefined;
  pointed.value = undefined;
  isRunning.value = false;
  if (text.trim() === '') target.value = '';
  if (text.trim() === '' || !model) return;
  const mine = (stop = new AbortController());
  const wait = Math.max(last.at + DEBOUNCE_MS - performance.now(), 0);
  const timer = setTimeout(() => void run(model, text, language, mine.signal), wait);
  mine.signal.addEventListener('abort', () => clearTimeout(timer));
});

async function run(model: Hala, text: string, language: LanguageCode | undefined, signal: AbortSignal): Promise<void> {
  isRunning.value = true;
  let streamed = '';
  const onText = (piece: string) => {
    streamed += piece;
    show(signal, streamed);
  };
  try {
    const languages = language ? { from: language, to: other(language) } : {};
    const translation = await model.translate({ text, signal, onText, ...languages });
    if (signal.aborted) return;
    cancelAnimationFrame(frame);
    target.value = translation.text;
    result.value = translation;
    tokensPerSecond.value = translation.timings.predicted_per_second;
  } catch (thrown) {
    if (signal.aborted) return;
    if (!(thrown instanceof HalaError)) throw thrown;
    error.value = thrown;
  } finally {
    if (!signal.aborted) isRunning.value = false;
  }
}

let frame = 0;

/** Shows what has come, once a frame however many tokens come. */
function show(signal: AbortSignal, text: string): void {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    if (!signal.aborted) target.value = text;
  });
}

/** Puts the translation in the place of what is written, to be translated back. */
export function swap(): void {
  const language = into.value;
  const text = target.value;
  if (text !== '') source.value = text;
  from.value = language;
}
