// Numbers, sizes and names of languages in the interface's language, with the digits that the user chose.

import { digits, language } from '../state/settings.js';

/** The locale with its digits. */
function locale(): string {
  if (digits.value === 'latin') return `${language.value}-u-nu-latn`;
  return language.value === 'ar' ? 'ar-u-nu-arab' : 'en';
}

export function formatNumber(n: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(locale(), options).format(n);
}

/** Large numbers, shortened: 350M. */
export function formatCount(n: number): string {
  return formatNumber(n, { notation: 'compact', maximumSignificantDigits: 3 });
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** Bytes in decimal units. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const unit = UNITS[power]!;
  return formatNumber(bytes / 1000 ** power, { style: 'unit', unit, unitDisplay: 'short', maximumSignificantDigits: 3 });
}

export function formatPercent(fraction: number): string {
  return formatNumber(fraction, { style: 'percent' });
}

export function formatDate(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(ms);
}

/** A language's name, by its BCP 47 tag. */
export function languageName(tag: string): string {
  return new Intl.DisplayNames(language.value, { type: 'language' }).of(tag) ?? tag;
}

/** Names of languages, and what else there is to say, as a list in words. */
export function languageList(tags: readonly string[], more: readonly string[] = []): string {
  return new Intl.ListFormat(language.value, { type: 'conjunction' }).format([...tags.map(languageName), ...more]);
}
