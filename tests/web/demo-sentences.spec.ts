// The translation in the demo as text and as sentences: what is selected or copied is the text itself, sentences are gone through by keys, and what
// became of each is told in words.

import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

test.use({ viewport: { width: 1280, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'] });

const NAMES = {
  ar: { source: 'النص المراد ترجمته', copy: 'نسخ', next: 'الجملة التالية من هذه الجمل' },
  en: { source: 'Text to translate', copy: 'Copy', next: 'Go to the next of these sentences' },
} as const;

const sentences = (page: Page) => page.locator('.sentence');
const notes = (page: Page) => page.locator('.sentence-notes p');

/** Translates a text, and waits for its sentences. */
async function translate(page: Page, language: 'ar' | 'en', text: string, n_sentences: number): Promise<void> {
  await page.goto('/demo/');
  await page.getByRole('textbox', { name: NAMES[language].source }).fill(text);
  await expect(sentences(page)).toHaveCount(n_sentences);
}

/** Has the worker say more of the first sentences than the built-in model gives cause for; runs in the page before anything else there does. */
function remark(remarks: readonly object[]): void {
  const add = Worker.prototype.addEventListener;
  Worker.prototype.addEventListener = function (this: Worker, type: string, listener: (event: Event) => void, ...rest: []) {
    const told = (event: Event) => {
      const { segments } = ((event as MessageEvent).data as { result?: { segments?: object[] } }).result ?? {};
      for (const [index, more] of remarks.entries()) if (segments?.[index]) Object.assign(segments[index], more);
      listener(event);
    };
    add.call(this, type, type === 'message' ? told : listener, ...rest);
  } as typeof add;
}

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });

  test('what is copied, by the button or as a selection, is the text with its lines', async ({ page }) => {
    const text = `صباح الخير.\n\nأين المحطة؟ شكرا لك.\n${'شكرا لك.\n'.repeat(150)}`;
    await translate(page, 'en', text, 153);
    await page.getByRole('button', { name: 'Copy' }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.split('\n')).toHaveLength(text.split('\n').length);
    expect(copied).toMatch(/^Good morning\.\n\nWhere.s the station\? Thank you\.\nThank you\.\n/);
    const selected = await page.evaluate(() => {
      getSelection()!.selectAllChildren(document.querySelector('.output')!);
      return getSelection()!.toString();
    });
    expect(selected).toBe(copied);
    // One line lies in sight, and the last does not.
    await expect(page.locator('.output .line').last()).not.toBeInViewport();
  });

  test('sentences are gone through by arrows, each with its source', async ({ page }) => {
    await translate(page, 'en', 'صباح الخير. أين المحطة؟\nشكرا لك.', 3);
    await page.getByRole('textbox', { name: 'Text to translate' }).focus();
    await page.keyboard.press('Tab');
    while (!(await sentences(page).first().evaluate((element) => element === document.activeElement))) await page.keyboard.press('Tab');
    const pointed = page.locator('.backdrop .pointed');
    await expect(pointed).toHaveText('صباح الخير.');
    await page.keyboard.press('ArrowRight');
    await expect(pointed).toHaveText('أين المحطة؟');
    await page.keyboard.press('ArrowDown');
    await expect(pointed).toHaveText('شكرا لك.');
    await page.keyboard.press('ArrowLeft');
    await expect(pointed).toHaveText('أين المحطة؟');
    // The mark lies behind the words in the field: both have the same lines.
    const [mark, field] = await Promise.all([pointed.boundingBox(), page.locator('.writing textarea').boundingBox()]);
    expect(mark!.y).toBeGreaterThan(field!.y);
    await page.keyboard.press('Tab');
    await expect(pointed).toHaveCount(0);
  });

  test('each line has its own direction', async ({ page }) => {
    await translate(page, 'en', 'Good morning.\nhttps://example.org/a\nThank you.', 3);
    const directions = await page.locator('.output .line').evaluateAll((lines) => lines.map((line) => getComputedStyle(line).direction));
    expect(directions).toEqual(['rtl', 'ltr', 'rtl']);
  });

  test('a translation without remarks has no word about any', async ({ page }) => {
    await translate(page, 'en', 'صباح الخير. 123.', 2);
    await expect(notes(page)).toHaveCount(0);
    await expect(page.locator('.remarked, .doubtful')).toHaveCount(0);
  });
});

for (const [language, words] of [
  ['en', {
    summary: '2 sentences stand as in the source. 1 sentence repeated itself and was tried again. 1 translation lacks its end. 1 sentence seems to be in another language.',
    retried: /was asked again/, copied: /Already in the language that is wanted/, persian: /This seems to be Persian/, cut: /the end of this sentence is missing/,
  }],
  ['ar', {
    summary: 'جملتان بقيتا كما في النص. جملة واحدة تكرّر فيها الكلام فأُعيدت ترجمتها. ترجمة واحدة ينقصها آخرها. جملة واحدة تبدو بلغة أخرى.',
    retried: /فأُعيدت الترجمة/, copied: /مكتوبة أصلًا باللغة المطلوبة/, persian: /باللغة الفارسية/, cut: /آخر هذه الجملة ناقص/,
  }],
] as const) {
  test.describe(`remarks in ${language}`, () => {
    test.use({ locale: language });

    test('what became of each sentence is marked, and told in words, by keys and to screen readers', async ({ page }, testInfo) => {
      await page.addInitScript(remark, [{}, { looped: 'retried' }, { copied: 'target-language' }, { copied: 'target-language', other_language: 'fa' }, { looped: 'cut' }]);
      await translate(page, language, 'صباح الخير. أين المحطة؟\nشكرا لك. شكرا لك.\nأين المحطة؟', 5);
      await expect(notes(page)).toHaveText(words.summary);
      await expect(page.locator('.remarked')).toHaveCount(1);
      await expect(page.locator('.doubtful')).toHaveCount(3);
      // Not by colour alone.
      const lines = await page.locator('.remarked, .doubtful').evaluateAll((all) => all.map((element) => getComputedStyle(element).textDecorationStyle));
      expect(lines).toEqual(['wavy', 'dotted', 'wavy', 'wavy']);
      await page.screenshot({ path: testInfo.outputPath('remarks.png') });
      const next = page.getByRole('button', { name: NAMES[language].next });
      for (const expected of [words.retried, words.copied, words.persian, words.cut, words.retried]) {
        await next.press('Enter');
        await expect(notes(page)).toHaveText(expected);
        await expect(page.locator('.sentence:focus')).toHaveAccessibleDescription(expected);
      }
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      await page.setViewportSize({ width: 360, height: 740 });
      await page.screenshot({ path: testInfo.outputPath('remarks-phone.png') });
    });
  });
}
