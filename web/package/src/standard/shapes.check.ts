// Fails to compile where the standard shapes, as published, are not those of this package.

import type OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionChunk } from '../types.js';
import type { LanguageDetector as Detector } from './language-detector.js';
import type { LanguageModel as Model } from './language-model.js';
import type { Translator as Ours } from './translator.js';

/** Members of a published class that this package has, under their published types. */
type Published<T, Left extends keyof T = never> = Omit<T, Left>;

export const translator = (ours: Ours): Published<Translator> => ours;
export const detector = (ours: Detector): Published<LanguageDetector> => ours;
/** Left out: what only extensions have, the older event, and listeners, whose `this` is another class. */
export const model = (ours: Model): Published<LanguageModel, 'topK' | 'temperature' | 'onquotaoverflow' | 'oncontextoverflow' | 'clone' | 'addEventListener' | 'removeEventListener'> => ours;

export const create: [
  (options: TranslatorCreateCoreOptions) => Promise<Availability>,
  (options: { sourceLanguage: string; targetLanguage: string; signal: AbortSignal }) => Promise<Published<Translator>>,
  (options?: { signal: AbortSignal }) => Promise<Published<LanguageDetector>>,
] = null as unknown as [typeof Ours.availability, typeof Ours.create, typeof Detector.create];

export const completion = (ours: ChatCompletion): Omit<OpenAI.Chat.ChatCompletion, 'usage'> => ours;
export const chunk = (ours: ChatCompletionChunk): Omit<OpenAI.Chat.ChatCompletionChunk, 'usage'> => ours;
