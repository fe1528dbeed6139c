// The package's entry.

export { HalaError, type HalaErrorCode, type HalaErrorDetails } from './errors.js';
export { Hala } from './hala.js';
export type * from './types.js';
export { detectLanguage, LanguageDetector, type LanguageDetectionResult } from './standard/language-detector.js';
export { configureLanguageModel, LanguageModel, type LanguageModelOptions, type Prompt, type PromptMessage } from './standard/language-model.js';
export { polyfill } from './standard/polyfill.js';
export { CreateMonitor, type Availability } from './standard/shared.js';
export { Translator, type TranslatorLanguages } from './standard/translator.js';
