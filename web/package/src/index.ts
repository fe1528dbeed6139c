// The package's entry.

export { folderOf } from './address.js';
export { HalaError, type HalaErrorCode, type HalaErrorDetails } from './errors.js';
export { Hala } from './hala.js';
export { detectLanguage, directionOf, type Direction, type LanguageDetectionResult } from './language.js';
export type * from './types.js';
export { LanguageDetector } from './standard/language-detector.js';
export { configureLanguageModel, LanguageModel, type LanguageModelOptions, type Prompt, type PromptMessage } from './standard/language-model.js';
export { polyfill } from './standard/polyfill.js';
export { CreateMonitor, type Availability } from './standard/shared.js';
export { Translator, type TranslatorLanguages } from './standard/translator.js';
