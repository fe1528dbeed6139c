// The demo as people use it, in Arabic and English: translation, chat, models, accessibility, and nothing that leaves the device.

import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

const HUB = 'http://localhost:8131';
const PROMPT = 'Translate everything that follows into English:\n\nصباح الخير';

/** Names of what tests use, as each language has them. */
const NAMES = {
  ar: { chat: 'محادثة', source: 'النص المراد ترجمته', target: 'الترجمة', message: 'الرسالة', models: 'النماذج', swap: 'تبديل اللغتين' },
  en: { chat: 'Chat', source: 'Text to translate', target: 'Translation', message: 'Message', models: 'Models', swap: 'Swap languages' },
} as const;
type Language = keyof typeof NAMES;

/** Text fields of a page in a language. */
function fields(page: Page, language: Language) {
  const names = NAMES[language];
  return {
    source: page.getByRole('textbox', { name: names.source }),
    target: page.getByRole('region', { name: names.target, exact: true }).locator('.output'),
    message: page.getByRole('textbox', { name: names.message, exact: true }),
    sentences: page.locator('.sentence'),
  };
}

async function openChat(page: Page, language: Language): Promise<void> {
  await page.getByRole('link', { name: NAMES[language].chat }).click();
  await expect(fields(page, language).message).toBeVisible();
}

/** Sends a message and waits for the whole reply. */
async function ask(page: Page, language: Language, text: string): Promise<void> {
  const { message } = fields(page, language);
  const before = await page.locator('.message-tools.assistant').count();
  await message.fill(text);
  await message.press('Enter');
  await expect(page.locator('.message-tools.assistant')).toHaveCount(before + 1);
}

test.describe('in Arabic', () => {
  test.use({ locale: 'ar' });

  test('translates as one writes, right to left into left to right', async ({ page }) => {
    await page.goto('/demo/');
    await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
    await expect(page.locator('html')).toHaveAttribute('lang', 'ar');
    const { source, target, sentences } = fields(page, 'ar');
    await source.fill('صباح الخير. أين المحطة؟');
    await expect(sentences).toHaveCount(2);
    await expect(target).toHaveText(/^Good morning\. Where.s the station\?$/);
    await expect(target).toHaveAttribute('dir', 'ltr');
    await expect(target).toHaveAttribute('lang', 'en');
    await expect(source).toHaveAttribute('dir', 'rtl');
    await sentences.nth(1).focus();
    await expect(page.locator('.backdrop .pointed')).toHaveText('أين المحطة؟');
    await expect(page.getByText('٢٣ حرفًا')).toBeVisible();
  });

  test('swaps languages and translates back', async ({ page }) => {
    await page.goto('/demo/');
    const { source, target, sentences } = fields(page, 'ar');
    await source.fill('شكرا لك.');
    await expect(target).toHaveText('Thank you.');
    await expect(sentences).toHaveCount(1);
    await page.getByRole('button', { name: NAMES.ar.swap }).click();
    await expect(source).toHaveValue('Thank you.');
    await expect(target).toHaveText(/شكر/);
    await expect(target).toHaveAttribute('dir', 'rtl');
  });
});

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });

  test('a later text takes the place of an earlier one', async ({ page }) => {
    await page.goto('/demo/');
    const { source, target, sentences } = fields(page, 'en');
    await source.fill('Where is the station? '.repeat(60));
    await expect(target).toHaveText(/محطة/);
    await source.fill('Thank you.');
    await expect(sentences).toHaveCount(1);
    await expect(target).toHaveText(/^شكر/);
    await source.fill('');
    await expect(target).toHaveText('The translation appears here as you write');
  });

  test('the language of the interface is remembered', async ({ page }) => {
    await page.goto('/demo/');
    await page.getByRole('button', { name: 'العربية' }).click();
    await page.reload();
    await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
    await expect(page.getByRole('button', { name: 'English', exact: true })).toBeVisible();
  });

  test('chats: answers, is edited, answers again, and is there after a reload', async ({ page }) => {
    await page.goto('/demo/#chat');
    await ask(page, 'en', PROMPT);
    const replies = page.locator('.message.assistant');
    // The chat draws its tokens, so that the sign at the end may differ.
    await expect(replies).toHaveText(/^Good morning/);
    await expect(page.getByRole('status').filter({ hasText: 'The reply is finished' })).toBeAttached();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.getByRole('textbox', { name: 'Edit' }).fill(PROMPT.replace('صباح الخير', 'شكرا لك.'));
    await page.getByRole('button', { name: 'Save and send' }).click();
    await expect(replies).toHaveText(/^Thank/);
    await expect(page.locator('.message-tools.assistant')).toBeVisible();
    await page.getByRole('button', { name: 'Answer again' }).click();
    await expect(page.locator('.message-tools.assistant')).toBeVisible();
    await page.reload();
    await expect(page.locator('.message.user')).toHaveText(/شكرا لك/);
    await expect(page.getByText(/of 2,048 tokens of context/)).toBeVisible();
  });

  test('a reply is stopped by Esc, and what came of it stays', async ({ page }) => {
    await page.goto('/demo/#chat');
    const { message } = fields(page, 'en');
    await message.fill(`Translate everything that follows into English:\n\n${'أين المحطة؟ شكرا لك. '.repeat(40)}`);
    await message.press('Enter');
    await expect(page.locator('.message.assistant')).toHaveText(/\w+/);
    await message.press('Escape');
    await expect(page.getByRole('button', { name: 'Send' })).toBeVisible();
    await ask(page, 'en', PROMPT);
  });

  test('conversations are exported, and imported beside the others', async ({ page }) => {
    await page.goto('/demo/#chat');
    await ask(page, 'en', PROMPT);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click()]);
    const exported = await download.path();
    expect(JSON.parse(readFileSync(exported, 'utf8'))).toMatchObject({ version: 1, conversations: [{ messages: [{ content: PROMPT }, {}] }] });
    const choose = async (name: string, text: string) => {
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Import' }).click()]);
      await chooser.setFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
    };
    await choose('bad.json', '{"version":1,"conversations":[{"id":3}]}');
    await expect(page.getByRole('alert')).toHaveText('This file is no export of conversations.');
    await choose('good.json', readFileSync(exported, 'utf8'));
    await expect(page.locator('.entry')).toHaveCount(2);
    // As many years of conversations make.
    const file = JSON.parse(readFileSync(exported, 'utf8')) as { conversations: { messages: { content: string }[] }[] };
    file.conversations[0]!.messages[0]!.content = 'كلام كثير. '.repeat(200_000);
    await choose('large.json', JSON.stringify(file));
    await expect(page.locator('.entry')).toHaveCount(3);
  });

  test('a model is downloaded, paused, resumed, listed and deleted', async ({ page }) => {
    await page.goto('/demo/');
    await page.getByRole('button', { name: 'Models' }).click();
    const other = page.locator('.model', { hasText: 'Another model' });
    const name = crypto.randomUUID();
    const model = `${HUB}/slow/${name}/resolve/main`;
    await other.getByRole('textbox').fill(model);
    await other.getByRole('button', { name: 'Download and use' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByText('Downloading')).toBeVisible();
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await expect(dialog.getByText('Paused; what was downloaded is kept.')).toBeVisible();
    await fetch(`${HUB}/go/${name}`);
    await dialog.locator('.progress').getByRole('button', { name: 'Resume' }).click();
    await expect(other.getByRole('button', { name: 'In use' })).toBeVisible();
    await expect(dialog.locator('.kept li')).toHaveCount(1);
    await dialog.getByRole('button', { name: /^Delete/ }).click();
    await expect(dialog.locator('.kept li')).toHaveCount(0);
    await page.keyboard.press('Escape');
    await fields(page, 'en').source.fill('Thank you.');
    await expect(fields(page, 'en').target).toHaveText(/^شكر/);
  });

  test('a model that is not there is told in words, and the built-in one goes on', async ({ page }) => {
    await page.goto('/demo/');
    await page.getByRole('button', { name: 'Models' }).click();
    const other = page.locator('.model', { hasText: 'Another model' });
    await other.getByRole('textbox').fill(`${HUB}/private/x/resolve/main`);
    await other.getByRole('button', { name: 'Download and use' }).click();
    await expect(page.getByRole('dialog').getByRole('alert')).toContainText('The server refuses the model');
    await page.keyboard.press('Escape');
    await fields(page, 'en').source.fill('Thank you.');
    await expect(fields(page, 'en').target).toHaveText(/^شكر/);
  });
});

test('once it is loaded nothing is asked of the network, and it works without one', async ({ page, context }) => {
  await page.goto('/demo/');
  await page.evaluate(() => navigator.serviceWorker.ready);
  // The service worker that was installed last answers from the next visit on.
  await page.reload();
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe('activated');
  const language = await page.evaluate(() => document.documentElement.lang as Language);
  const { source, sentences } = fields(page, language);
  await source.fill('شكرا لك.');
  await expect(sentences).toHaveCount(1);
  await openChat(page, language);
  const asked: string[] = [];
  context.on('request', (request) => asked.push(request.url()));
  await ask(page, language, PROMPT);
  await page.getByRole('link', { name: language === 'ar' ? 'ترجمة' : 'Translate' }).first().click();
  await source.fill('صباح الخير. أين المحطة؟');
  await expect(sentences).toHaveCount(2);
  // Chromium looks at the page's own icon again whenever the view in its address changes.
  expect(asked.filter((url) => !url.endsWith('/demo/icon.svg'))).toEqual([]);

  await context.setOffline(true);
  await page.reload();
  await source.fill('صباح الخير');
  await expect(sentences).toHaveText('Good morning.');
});

test('later visits work as the demo is served, with what the browser and the service worker have kept', async ({ context }) => {
  for (let visit = 0; visit < 3; visit++) {
    const page = await context.newPage();
    await page.goto('http://localhost:8133/');
    const language = await page.evaluate(() => document.documentElement.lang as Language);
    await fields(page, language).source.fill('صباح الخير');
    await expect(fields(page, language).sentences).toHaveText('Good morning.');
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await page.close();
  }
});

for (const language of ['ar', 'en'] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(`${language}, ${colorScheme}`, () => {
      test.use({ locale: language, colorScheme });

      test('has no fault that keeps people out', async ({ page }) => {
        const scan = async () => {
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
        };
        await page.goto('/demo/');
        await fields(page, language).source.fill('صباح الخير. أين المحطة؟');
        await expect(fields(page, language).sentences).toHaveCount(2);
        await scan();
        await openChat(page, language);
        await ask(page, language, PROMPT);
        await scan();
        await page.getByRole('button', { name: NAMES[language].models }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        await scan();
      });
    });
  }
  for (const [device, viewport] of [['desktop', { width: 1280, height: 800 }], ['phone', { width: 360, height: 780 }]] as const) {
    test.describe(`${language}, ${device}`, () => {
      test.use({ locale: language, viewport });

      test('fits', async ({ page }, testInfo) => {
        const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        await page.goto('/demo/');
        await fields(page, language).source.fill('صباح الخير. أين المحطة؟');
        await expect(fields(page, language).sentences).toHaveCount(2);
        expect(await overflow()).toBe(0);
        await page.screenshot({ path: testInfo.outputPath('translate.png') });
        await openChat(page, language);
        await ask(page, language, PROMPT);
        expect(await overflow()).toBe(0);
        await page.screenshot({ path: testInfo.outputPath('chat.png') });
      });
    });
  }
}
