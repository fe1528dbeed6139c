// Which language a text is in, in the shape of the browsers' own LanguageDetector, told from its letters.
// https://webmachinelearning.github.io/translation-api/#language-detector-api

import { Lifetime, CreateMonitor, type Availability, type CreateOptions } from './shared.js';

export interface LanguageDetectionResult {
  detectedLanguage: string;
  /** From 0 to 1; those of all results make 1. */
  confidence: number;
}

/** Letters in Arabic's script that Arabic lacks: Persian, Urdu and others have them. */
const FOREIGN_ARABIC = /[پچژگکیےٹڈڑںھہۀۇېڭ]/;
/** Latin letters that English lacks. */
const FOREIGN_LATIN = /[^\p{ASCII}’]/u;
/** Words that most English sentences have, and other languages in plain Latin letters do not. */
const ENGLISH = new Set('the of and to in is it you that was for are on with as at be this have from or by not but what all were we when your can an how my i me thank thanks good hello where who please'.split(' '));

export class LanguageDetector {
  readonly expectedInputLanguages: readonly string[];
  readonly inputQuota = Infinity;
  readonly #life = new Lifetime();

  private constructor(expected: readonly string[]) {
    this.expectedInputLanguages = expected;
  }

  /** Nothing has to be downloaded; languages other than Arabic and English are told as `und`. */
  static async availability({ expectedInputLanguages = [] }: { expectedInputLanguages?: string[] } = {}): Promise<Availability> {
    const isKnown = (tag: string) => ['ar', 'en'].includes(new Intl.Locale(tag).language);
    return expectedInputLanguages.every(isKnown) ? 'available' : 'unavailable';
  }

  static async create({ expectedInputLanguages = [], signal, monitor }: { expectedInputLanguages?: string[] } & CreateOptions = {}): Promise<LanguageDetector> {
    signal?.throwIfAborted();
    if ((await LanguageDetector.availability({ expectedInputLanguages })) === 'unavailable') {
      throw new DOMException(`only ar and en are told apart, not ${expectedInputLanguages.join(', ')}`, 'NotSupportedError');
    }
    const own = new CreateMonitor();
    monitor?.(own);
    own.tell(0);
    own.tell(1);
    return new LanguageDetector(expectedInputLanguages);
  }

  /** Languages, the likeliest first; `und` last, for all others. */
  async detect(input: string, options: { signal?: AbortSignal } = {}): Promise<LanguageDetectionResult[]> {
    this.#life.signal(options.signal);
    return detectLanguage(input);
  }

  async measureInputUsage(input: string, options: { signal?: AbortSignal } = {}): Promise<number> {
    this.#life.signal(options.signal);
    return input.length;
  }

  destroy(): void {
    this.#life.end();
  }
}

/** How likely a text is Arabic, English, or neither. */
export function detectLanguage(text: string): LanguageDetectionResult[] {
  const words = text.toLowerCase().match(/[\p{L}\p{M}’']+/gu) ?? [];
  if (words.length === 0) return [{ detectedLanguage: 'und', confidence: 1 }];
  const letters = words.join('').length;
  const share = (test: (word: string) => boolean) => words.filter(test).join('').length / letters;
  const inArabic = share((word) => /\p{Script=Arabic}/u.test(word));
  const inLatin = share((word) => /\p{Script=Latin}/u.test(word));
  const foreignArabic = share((word) => FOREIGN_ARABIC.test(word));
  const foreignLatin = share((word) => /\p{Script=Latin}/u.test(word) && FOREIGN_LATIN.test(word));
  const hasEnglish = words.some((word) => ENGLISH.has(word));
  const arabic = inArabic * (foreignArabic > 0 ? 0.3 * (1 - foreignArabic) : 0.95);
  const english = inLatin * (hasEnglish ? 0.95 : 0.6) * (foreignLatin > 0 ? 0.3 * (1 - foreignLatin) : 1);
  const known = [{ detectedLanguage: 'ar', confidence: arabic }, { detectedLanguage: 'en', confidence: english }]
    .filter(({ confidence }) => confidence > 0.01)
    .sort((a, b) => b.confidence - a.confidence);
  const rest = 1 - known.reduce((sum, { confidence }) => sum + confidence, 0);
  return [...known, { detectedLanguage: 'und', confidence: rest }];
}
