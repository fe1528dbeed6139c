// Numbers with their noun, in the plural forms that a language has.

import { formatNumber } from './numbers.js';

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** Chooses the form for a number, in which `#` stands for the number itself. */
export function plural(language: 'ar' | 'en', forms: Forms): (n: number) => string {
  const rules = new Intl.PluralRules(language);
  return (n) => (forms[rules.select(n)] ?? forms.other).replace('#', formatNumber(n));
}
