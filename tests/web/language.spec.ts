// Which way texts read and which language they are in: the package's pure functions.

import { expect, test } from '@playwright/test';
import { detectLanguage, directionOf, proseOf } from '../../web/package/src/language.ts';

test('the majority of letters gives the direction', () => {
  expect(directionOf('WebGPU هو معيار جديد')).toBe('rtl');
  expect(directionOf('The word حلا is Arabic')).toBe('ltr');
  expect(directionOf('2026 — 🙂 …')).toBeUndefined();
  expect(directionOf('٣ كتب')).toBe('rtl');
  expect(directionOf('שלום')).toBe('rtl');
});

test('code, addresses, tags and names of files do not count', () => {
  for (const text of [
    '2. ثانيًا: استخدم `npm install` ثم `npm run dev`.', 'انظر https://example.org/a/very/long/address?with=more', 'راسل someone.with.a.long.name@example.org',
    '<strong class="a-long-class-name">مهم</strong>', 'افتح crates/text/src/language.rs', '```js\nconst everything = here(is, code);\n```\nشرح', 'شكرا @a_very_long_user_name',
  ]) expect(directionOf(text), text).toBe('rtl');
  // Where there is nothing else, they count.
  expect(directionOf('`npm install`')).toBe('ltr');
  expect(proseOf('a `b` c').replace(/ +/g, ' ')).toBe('a c');
});

test('no text takes long, whatever it repeats', () => {
  // Counted by what is looked at, not by a clock: pieces of the pattern are bounded, and the text is too.
  for (const unit of ['`', 'a`', 'a.', 'a/', '<a ', '```\n', 'a@', '..', '` ']) {
    expect(['ltr', undefined]).toContain(directionOf(unit.repeat(100_000)));
    expect(detectLanguage(unit.repeat(100_000))).not.toEqual([]);
  }
});

test('languages are told by their words', () => {
  const first = (text: string) => detectLanguage(text)[0]!.detectedLanguage;
  for (const text of ['صباح الخير', 'أين المحطة؟', 'أحب گوگل كثيرا في هذا البلد', '`npm install` ثم شغّل']) expect(first(text), text).toBe('ar');
  for (const text of ['Where is the station?', 'Good morning', 'Hello', 'The café in Paris is called Le Monde.', 'I met three people']) expect(first(text), text).toBe('en');
  for (const text of [
    'Bonjour, je suis ravi de vous voir', 'Das ist ein gutes Buch', '¿Dónde está la estación?', 'ezayak 3amel eh ya basha', 'سلام، حال شما چطور است؟', '你好，世界', 'Привет, мир',
    'Merhaba, nasılsın?', '12 🙂', '',
  ]) expect(first(text), text).toBe('und');
});

test('confidences make one', () => {
  for (const text of ['Where is the station?', 'صباح الخير my friend', 'Bonjour tout le monde']) {
    expect(detectLanguage(text).reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(1);
  }
});
