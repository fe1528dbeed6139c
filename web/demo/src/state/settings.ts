// What the user chose once and for all: language, digits, theme. Remembered in this browser.

import { effect, signal } from '@preact/signals';

export type Language = 'ar' | 'en';
export type Theme = 'auto' | 'light' | 'dark';
/** Latin digits 0-9, or the locale's own. */
export type Digits = 'latin' | 'native';

interface Settings {
  language: Language;
  theme: Theme;
  digits: Digits;
}

const KEY = 'hala.settings';

const kept = read();
export const language = signal<Language>(kept.language ?? (navigator.language.startsWith('ar') ? 'ar' : 'en'));
export const theme = signal<Theme>(kept.theme ?? 'auto');
export const digits = signal<Digits>(kept.digits ?? 'native');

effect(() => {
  const root = document.documentElement;
  root.lang = language.value;
  root.dir = language.value === 'ar' ? 'rtl' : 'ltr';
  root.dataset['theme'] = theme.value;
  write({ language: language.value, theme: theme.value, digits: digits.value });
});

/** What was remembered, as far as it is of this version. */
function read(): Partial<Settings> {
  try {
    const { language, theme, digits } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, unknown>;
    return {
      ...(language === 'ar' || language === 'en' ? { language } : {}),
      ...(theme === 'auto' || theme === 'light' || theme === 'dark' ? { theme } : {}),
      ...(digits === 'latin' || digits === 'native' ? { digits } : {}),
    };
  } catch {
    return {};
  }
}

function write(settings: Settings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // A browser that keeps nothing still shows what was chosen until the page is closed.
  }
}
