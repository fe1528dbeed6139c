// The demo with more in it than its window holds: what one acts with stays in sight, nothing lies over anything else, and no page is wider
// than its window. Boxes are measured, at five widths and at 200 %, in both languages and themes.

import { expect, test, type Page } from '@playwright/test';

const NAMES = {
  ar: { source: 'النص المراد ترجمته', message: 'الرسالة', conversations: 'المحادثات', import: 'استيراد' },
  en: { source: 'Text to translate', message: 'Message', conversations: 'Conversations', import: 'Import' },
} as const;

/** Windows of phones, tablets and desks, and a laptop's at 200 %. */
const WINDOWS = [[320, 640], [390, 844], [768, 1024], [1280, 800], [1920, 1080], [640, 360]] as const;

const LONG_WORD = 'https://example.org/' + 'a'.repeat(400);
const TABLE = ['| الاسم | Name | Value | Notes | More | Columns | Than | Fit |', '|---|---|---|---|---|---|---|---|', ...Array<string>(6).fill('| قيمة طويلة | a long value | 1234567890 | `code_without_end` | x | y | z | w |')].join('\n');
const REPLIES = [
  'نعم، هذه إجابة قصيرة.',
  `A table:\n\n${TABLE}\n\nand text after it.`,
  `1. أولًا: افتح الطرفية.\n2. ثانيًا: استخدم \`npm install\` ثم \`npm run dev\`.\n\n\`\`\`sh\n${'npm run build -- --with-a-long-option '.repeat(8)}\n\`\`\``,
  `A link without end: ${LONG_WORD} and a word: ${'و'.repeat(500)}`,
  '![a picture of the harbour](https://example.org/harbour.png)\n\n> A quotation. اقتباس.',
];

/** A file of conversations as the demo exports it: one of 200 messages, one with a title without end, and many more. */
function conversations(): string {
  const messages = Array.from({ length: 200 }, (_, i) => (
    i % 2 === 0 ? { role: 'user', content: `السؤال رقم ${i}: ${'ما هذا؟ '.repeat(i % 7)}${i % 20 === 0 ? LONG_WORD : ''}` } : { role: 'assistant', content: REPLIES[(i >> 1) % REPLIES.length] }
  ));
  const other = (title: string, n: number) => ({ id: `c${n}`, title, system: '', messages: [], changed: n });
  const others = Array.from({ length: 40 }, (_, n) => other(n % 2 ? `عنوان محادثة طويل لا يكاد ينتهي مهما قرأت منه ${n}` : 'w'.repeat(120), n));
  return JSON.stringify({ version: 1, conversations: [{ id: 'long', title: '', system: 'Answer briefly.', messages, changed: 99 }, ...others] });
}

interface Box {
  name: string;
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Boxes of what is visible of these, and the window's. */
async function boxes(page: Page, selectors: readonly string[]): Promise<Box[]> {
  return page.evaluate((selectors) => selectors.flatMap((name) => [...document.querySelectorAll(name)].map((element) => {
    const { top, bottom, left, right } = element.getBoundingClientRect();
    return { name, top, bottom, left, right };
  })).filter(({ top, bottom }) => bottom > top), selectors);
}

/** Boxes that lie over each other by more than a hair. */
function overlaps(all: readonly Box[]): string[] {
  const meets = (a: Box, b: Box) => Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1 && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1;
  return all.flatMap((a, i) => all.slice(i + 1).filter((b) => meets(a, b)).map((b) => `${a.name} over ${b.name}`));
}

/** Whether a box lies wholly within the window. */
async function isInSight(page: Page, box: Box | undefined): Promise<boolean> {
  const { width, height } = page.viewportSize()!;
  return box !== undefined && box.top >= -1 && box.left >= -1 && box.bottom <= height + 1 && box.right <= width + 1;
}

const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Looks at the page in every window and theme; `look` says what must hold there. */
async function inEveryWindow(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of WINDOWS) {
      await page.setViewportSize({ width, height });
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      await look(`${width}x${height}-${colorScheme}`);
    }
  }
}

for (const language of ['ar', 'en'] as const) {
  test.describe(language, () => {
    test.use({ locale: language });
    const names = NAMES[language];

    test('a translation of 500 sentences scrolls within its pane', async ({ page }, testInfo) => {
      await page.goto('/demo/');
      await page.getByRole('textbox', { name: names.source }).fill(`${'أين المحطة؟ شكرا لك. '.repeat(250)}\n${'س'.repeat(300)}`);
      // Long before its end it is longer than any window.
      await expect.poll(() => page.locator('.output').evaluate((output) => output.textContent!.length)).toBeGreaterThan(4000);
      await inEveryWindow(page, async (name) => {
        await page.screenshot({ path: testInfo.outputPath(`translate-${name}.png`) });
        expect(await overflow(page), name).toBe(0);
        expect(overlaps(await boxes(page, ['.top', '.languages', '.pane', '.translate > .note', '.privacy'])), name).toEqual([]);
        expect(overlaps(await boxes(page, ['.writing', '.output', '.pane-foot'])), name).toEqual([]);
        const [source, target] = await boxes(page, ['.pane-foot']);
        expect(await isInSight(page, source), name).toBe(true);
        // In a window of 360 pixels the two panes are beside each other, or the second begins where the first ends.
        expect(await isInSight(page, target), name).toBe(true);
        const scrolls = await page.locator('.output').evaluate((output) => output.scrollHeight > output.clientHeight + 1);
        expect(scrolls, name).toBe(true);
      });
    });

    test('a conversation of 200 messages scrolls within its list', async ({ page }, testInfo) => {
      await page.goto('/demo/#chat');
      await page.setViewportSize({ width: 1280, height: 800 });
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: names.import }).click()]);
      await chooser.setFiles({ name: 'long.json', mimeType: 'application/json', buffer: Buffer.from(conversations()) });
      await page.getByRole('button', { name: /السؤال رقم 0/ }).first().click();
      await expect(page.locator('.message')).toHaveCount(200);
      const list = page.locator('.messages');
      const fromEnd = () => list.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
      await inEveryWindow(page, async (name) => {
        await page.screenshot({ path: testInfo.outputPath(`chat-${name}.png`) });
        expect(await overflow(page), name).toBe(0);
        expect(overlaps(await boxes(page, ['.top', '.sidebar', '.conversation', '.privacy'])), name).toEqual([]);
        expect(overlaps(await boxes(page, ['.conversation-head', '.conversation > .note', '.messages', '.composer'])), name).toEqual([]);
        const [composer] = await boxes(page, ['.composer']);
        expect(await isInSight(page, composer), name).toBe(true);
        expect(await list.evaluate((element) => element.scrollWidth - element.clientWidth), name).toBeLessThanOrEqual(0);
        // A window that changes its size leaves the reader at the end.
        expect(await fromEnd(), name).toBeLessThan(2);
      });
    });

    test('on a phone the list of conversations fits, whatever their titles', async ({ page }, testInfo) => {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto('/demo/#chat');
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: names.import }).click()]);
      await chooser.setFiles({ name: 'long.json', mimeType: 'application/json', buffer: Buffer.from(conversations()) });
      await page.setViewportSize({ width: 390, height: 844 });
      await page.getByRole('button', { name: names.conversations }).click();
      await page.screenshot({ path: testInfo.outputPath('titles.png') });
      expect(await overflow(page)).toBe(0);
      expect(overlaps(await boxes(page, ['.top', '.sidebar', '.conversation', '.privacy']))).toEqual([]);
      for (const button of await boxes(page, ['.sidebar > button', '.sidebar > .row > button', '.composer'])) {
        expect(await isInSight(page, button), button.name).toBe(true);
      }
    });
  });
}

test('the list follows what is added, unless its reader has scrolled up', async ({ page }) => {
  await page.goto('/demo/#chat');
  const language = await page.evaluate(() => document.documentElement.lang as 'ar' | 'en');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: NAMES[language].import }).click()]);
  await chooser.setFiles({ name: 'long.json', mimeType: 'application/json', buffer: Buffer.from(conversations()) });
  await page.getByRole('button', { name: /السؤال رقم 0/ }).first().click();
  await expect(page.locator('.message')).toHaveCount(200);
  const list = page.locator('.messages');
  const fromEnd = () => list.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
  /** Writes into the list as a stream does, a line a frame. */
  const stream = () => list.evaluate(async (element) => {
    const item = document.createElement('li');
    element.append(item);
    for (let i = 0; i < 30; i++) {
      item.append(`line ${i}`, document.createElement('br'));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
  await expect.poll(fromEnd).toBeLessThan(2);
  await stream();
  await expect.poll(fromEnd).toBeLessThan(2);
  await list.hover();
  await page.mouse.wheel(0, -900);
  await expect.poll(fromEnd).toBeGreaterThan(500);
  const read = await list.evaluate((element) => element.scrollTop);
  await stream();
  expect(await list.evaluate((element) => element.scrollTop)).toBe(read);
  await page.mouse.wheel(0, 99_999);
  await expect.poll(fromEnd).toBeLessThan(2);
  await stream();
  await expect.poll(fromEnd).toBeLessThan(2);
});
