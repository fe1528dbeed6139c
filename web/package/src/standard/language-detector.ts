// Which language a text is in, in the shape of the browsers' own LanguageDetector, told from its letters and words.
// https://webmachinelearning.github.io/translation-api/#language-detector-api

import { detectLanguage, type LanguageDetectionResult } from '../language.js';
import { CreateMonitor, Lifetime, textOf, type Availability, type CreateOptions } from './shared.js';

export class LanguageDetector {
  readonly expectedInputLanguages: readonly string[];
  readonly inputQuota = Infinity;
  readonly #life: Lifetime;

  private constructor(expected: readonly string[], signal: AbortSignal | undefined) {
    this.expectedInputLanguages = expected;
    this.#life = new Lifetime(signal);
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
    return new LanguageDetector(expectedInputLanguages, signal);
  }

  /** Languages, the likeliest first; `und` stands for all others. */
  async detect(input: string, options: { signal?: AbortSignal } = {}): Promise<LanguageDetectionResult[]> {
    const text = textOf(arguments, 'detect');
    this.#life.signal(options.signal);
    return detectLanguage(text);
  }

  async measureInputUsage(input: string, options: { signal?: AbortSignal } = {}): Promise<number> {
    const text = textOf(arguments, 'measureInputUsage');
    this.#life.signal(options.signal);
    return text.length;
  }

  destroy(): void {
    this.#life.end();
  }
}
