// What the model thinks before it answers: shown while it comes, folded once the answer begins, kept, given back, and no part of what is copied.

import { readFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { watch, watched } from './watch.ts';

const thinks = (reasoning_content: string) => ({ reasoning_content });
const say = (page: Page, ...pieces: (string | { reasoning_content: string })[]) => page.evaluate((pieces) => globalThis.watched.say(pieces), pieces);
const end = (page: Page) => watched(page, (watched) => watched.end());
const fold = (page: Page) => page.locator('.thought summary');
const thought = (page: Page) => page.locator('.thought-text');
const answer = (page: Page) => page.locator('.message.assistant');

/** Asks for a reply that the test writes. */
async function ask(page: Page, text: string, name = 'Message'): Promise<void> {
  await watched(page, (watched) => { watched.isAsked = false; });
  await page.getByRole('textbox', { name, exact: true }).fill(text);
  await page.getByRole('textbox', { name, exact: true }).press('Enter');
  await expect.poll(() => watched(page, ({ isAsked }) => isAsked)).toBe(true);
}

test.describe('in English', () => {
  test.use({ locale: 'en-GB' });

  test.beforeEach(async ({ page }) => {
    await page.addInitScript(watch, { isWritten: true });
    await page.goto('/demo/#chat');
  });

  test('a thought streams while it is open, and is folded once the answer begins', async ({ page }) => {
    await ask(page, 'How far is it?');
    await expect(page.locator('.placeholder')).toBeVisible();
    await say(page, thinks('\nLet me '), thinks('see: **10 km**'));
    await expect(fold(page)).toHaveText('Thinking…');
    await expect(thought(page)).toHaveText('Let me see: 10 km');
    await expect(answer(page)).toHaveCount(0);
    await say(page, thinks('.\n'), 'It is');
    await expect(fold(page)).toHaveText(/^Thought for \d+ seconds?$/);
    await expect(thought(page)).toHaveCount(0);
    await say(page, ' far.');
    await expect(answer(page)).toHaveText('It is far.');
    await end(page);
    await fold(page).click();
    await expect(thought(page)).toHaveText('Let me see: 10 km.');
    await fold(page).click();
    await expect(thought(page)).toHaveCount(0);
  });

  test('what its reader folds or unfolds stays so', async ({ page }) => {
    await ask(page, 'Hello');
    await say(page, thinks('one '));
    await fold(page).click();
    await expect(thought(page)).toHaveCount(0);
    await say(page, thinks('two '));
    await expect(thought(page)).toHaveCount(0);
    await fold(page).click();
    await expect(thought(page)).toHaveText('one two');
    await say(page, thinks('three'), 'Yes.');
    await expect(thought(page)).toHaveText('one two three');
    await end(page);
    await expect(thought(page)).toHaveText('one two three');
  });

  test('the keyboard folds it, and its state is told', async ({ page }) => {
    await ask(page, 'Hello');
    await say(page, thinks('hm'), 'Yes.');
    await end(page);
    const details = page.locator('.thought');
    await fold(page).focus();
    for (const [key, isOpen] of [['Enter', true], ['Enter', false], ['Space', true]] as const) {
      await page.keyboard.press(key);
      expect(await details.evaluate((element) => (element as HTMLDetailsElement).open), key).toBe(isOpen);
    }
    const found = await new AxeBuilder({ page }).analyze();
    expect(found.violations).toEqual([]);
  });

  test('it is kept and exported, given back with the conversation, and left out of what is copied', async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await ask(page, 'Hello');
    await say(page, thinks('a secret\n'), 'Good day.');
    await end(page);
    await page.getByRole('button', { name: 'Copy' }).last().click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('Good day.');
    await page.reload();
    await expect(fold(page)).toHaveText(/^Thought for/);
    await fold(page).click();
    await expect(thought(page)).toHaveText('a secret');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click()]);
    const file = await readFile(await download.path(), 'utf8');
    const { messages } = (JSON.parse(file) as { conversations: { messages: { thought?: { text: string; seconds: number } }[] }[] }).conversations[0]!;
    expect(messages[1]!.thought).toEqual({ text: 'a secret\n', seconds: expect.any(Number) });
    await page.getByRole('button', { name: 'Delete' }).first().waitFor();
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Import' }).click()]);
    await chooser.setFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from(file) });
    await expect(fold(page)).toHaveText(/^Thought for/);
    await ask(page, 'And now?');
    const asked = await watched(page, ({ asked }) => asked);
    expect((JSON.parse(asked!) as { messages: object[] }).messages).toEqual([
      { role: 'user', content: 'Hello' }, { role: 'assistant', content: 'Good day.', reasoning_content: 'a secret\n' }, { role: 'user', content: 'And now?' },
    ]);
  });

  test('a reply that is stopped, or ends, while the model thinks says so', async ({ page }) => {
    await ask(page, 'Hello');
    await say(page, thinks('on and on'));
    await end(page);
    await expect(page.getByText('The model thought, and came to no answer.')).toBeVisible();
    await expect(fold(page)).toHaveText(/^Thought for/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => watched(page, ({ isAsked }) => isAsked)).toBe(true);
    await expect(fold(page)).toHaveCount(0);
  });
});

const LONG = Array.from({ length: 40 }, (_, n) => `${n + 1}. The way to the station is ${n} km long, so \`distance = ${n}\` and then some more words.`).join('\n');
const ARABIC = Array.from({ length: 40 }, (_, n) => `${n + 1}. الطريق إلى المحطة طوله ${n} كم، أي \`distance = ${n}\`، ثم كلام آخر يطول.`).join('\n');

for (const [locale, name, asks, words, says, folded] of [
  ['en-GB', 'Message', 'How far is the station?', LONG, 'It is **39 km** away.', /^Thought for \d+ seconds?$/],
  ['ar-EG', 'الرسالة', 'كم تبعد المحطة؟', ARABIC, 'تبعد المحطة **39 كم**.', /^فكّر /],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(`on a phone, ${locale}, ${colorScheme}`, () => {
      test.use({ locale, colorScheme, viewport: { width: 360, height: 740 } });

      test('a long thought has room, open and folded', async ({ page }) => {
        await page.addInitScript(watch, { isWritten: true });
        await page.goto('/demo/#chat');
        await ask(page, asks, name);
        await say(page, thinks(words));
        await shoot(page, `${locale}-${colorScheme}-1-thinking`);
        await expectFits(page);
        await say(page, says);
        await end(page);
        await expect(fold(page)).toHaveText(folded);
        await shoot(page, `${locale}-${colorScheme}-2-folded`);
        // It stays where it is, and is read from its beginning.
        const before = await fold(page).boundingBox();
        await fold(page).click();
        await expect(thought(page)).toHaveAttribute('dir', locale === 'ar-EG' ? 'rtl' : 'ltr');
        await watched(page, (watched) => watched.say([]));
        expect((await fold(page).boundingBox())!.y).toBe(before!.y);
        await shoot(page, `${locale}-${colorScheme}-3-open`);
        await expectFits(page);
      });
    });
  }
}

/** Nothing is wider than the page, and the thought begins where the interface's lines do. */
async function expectFits(page: Page): Promise<void> {
  const [all, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(all).toBeLessThanOrEqual(seen!);
  const place = await page.locator('.thought').evaluate((element) => {
    const [own, list] = [element.getBoundingClientRect(), element.closest('.messages')!.getBoundingClientRect()];
    return { start: own.left >= list.left, end: own.right <= list.right };
  });
  expect(place).toEqual({ start: true, end: true });
}

/** Keeps a picture for people to look at. */
async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: test.info().outputPath(`${name}.png`) });
}
