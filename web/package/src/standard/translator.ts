// Translation in the shape of the browsers' own Translator.
// https://webmachinelearning.github.io/translation-api/

import type { Hala } from '../hala.js';
import type { LanguageCode } from '../types.js';
import { Lifetime, notSupported, SharedModel, streamOf, textOf, toException, type Availability, type CreateOptions } from './shared.js';

export interface TranslatorLanguages {
  /** BCP 47 tags: `ar`, `en-GB`; what counts is the language in front. */
  sourceLanguage: string;
  targetLanguage: string;
}

/** The built-in translator, which all translators of a page share. */
const model = /* @__PURE__ */ new SharedModel({});

export class Translator {
  readonly sourceLanguage: string;
  readonly targetLanguage: string;
  /** Sentences are translated one by one, so that a text has no limit; a sentence has. */
  readonly inputQuota = Infinity;
  readonly #hala: Hala;
  readonly #life: Lifetime;

  private constructor(hala: Hala, { sourceLanguage, targetLanguage }: TranslatorLanguages, signal: AbortSignal | undefined) {
    this.#hala = hala;
    this.#life = new Lifetime(signal);
    this.sourceLanguage = sourceLanguage;
    this.targetLanguage = targetLanguage;
  }

  /** Whether a pair of languages can be translated; nothing is downloaded by asking. */
  static async availability(languages: TranslatorLanguages): Promise<Availability> {
    return pairOf(languages) ? model.availability : 'unavailable';
  }

  /** A signal that is given here ends the translator too, whenever it comes. */
  static async create({ signal, monitor, ...languages }: TranslatorLanguages & CreateOptions): Promise<Translator> {
    if (!pairOf(languages)) {
      const { sourceLanguage, targetLanguage } = languages;
      throw notSupported(`${sourceLanguage} to ${targetLanguage} is not among the pairs: ar to en, en to ar`);
    }
    const options = { ...(signal ? { signal } : {}), ...(monitor ? { monitor } : {}) };
    return new Translator(await model.open(options), languages, signal);
  }

  async translate(input: string, options: { signal?: AbortSignal } = {}): Promise<string> {
    return this.#translate(textOf(arguments, 'translate'), this.#life.signal(options.signal));
  }

  translateStreaming(input: string, options: { signal?: AbortSignal } = {}): ReadableStream<string> {
    const text = textOf(arguments, 'translateStreaming');
    const signal = this.#life.signal(options.signal);
    return streamOf((onText, both) => this.#translate(text, both, onText), signal);
  }

  /** Tokens of a text. */
  async measureInputUsage(input: string, options: { signal?: AbortSignal } = {}): Promise<number> {
    this.#life.signal(options.signal);
    return this.#hala.countTokens(textOf(arguments, 'measureInputUsage'));
  }

  /** Stops what is under way; the model stays, for others. */
  destroy(): void {
    this.#life.end();
  }

  async #translate(text: string, signal: AbortSignal, onText?: (piece: string) => void): Promise<string> {
    const [from, to] = pairOf(this)!;
    try {
      return (await this.#hala.translate({ text, from, to, signal, ...(onText ? { onText } : {}) })).text;
    } catch (error) {
      throw toException(error, signal);
    }
  }
}

/** The pair as the engine knows it; undefined for others. */
function pairOf({ sourceLanguage, targetLanguage }: TranslatorLanguages): [LanguageCode, LanguageCode] | undefined {
  const [from, to] = [sourceLanguage, targetLanguage].map((tag) => new Intl.Locale(tag).language);
  return (from === 'ar' && to === 'en') || (from === 'en' && to === 'ar') ? [from, to] : undefined;
}
