// What is written in the demo is not lost: to a reload, to another tab, to a reply elsewhere, to a deleted conversation.

import { expect, test, type Page } from '@playwright/test';

const HUB = 'http://localhost:8131';
const PROMPT = 'Translate everything that follows into English:\n\nصباح الخير';
const LONG = `Translate everything that follows into English:\n\n${'أين المحطة؟ شكرا لك. '.repeat(40)}`;

test.use({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });

const message = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
const replies = (page: Page) => page.locator('.message-tools.assistant');

/** Sends a message and waits for the whole reply. */
async function ask(page: Page, text: string): Promise<void> {
  const before = await replies(page).count();
  await message(page).fill(text);
  await message(page).press('Enter');
  await expect(replies(page)).toHaveCount(before + 1);
}

/** Makes the page's model take its time, half a second for each piece, so that its replies are under way for as long as a test looks. */
async function slowDown(page: Page): Promise<void> {
  const worker = page.workers()[0] ?? (await page.waitForEvent('worker'));
  await worker.evaluate(() => {
    const post = self.postMessage.bind(self) as (message: { kind?: string }) => void;
    self.postMessage = (message: { kind?: string }) => {
      post(message);
      for (const end = Date.now() + 500; message.kind === 'piece' && Date.now() < end;);
    };
  });
}

/** What every page has kept of the only conversation. */
const kept = (page: Page) => page.evaluate(() => new Promise<{ role: string; content: string; partial?: true }[]>((resolve, reject) => {
  const opening = indexedDB.open('hala');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const all = opening.result.transaction('conversations').objectStore('conversations').getAll();
    all.onsuccess = () => { opening.result.close(); resolve(all.result[0]?.messages ?? []); };
  };
}));

/** What is kept of replies that are being written, each by itself. */
const keptParts = (page: Page) => page.evaluate(() => new Promise<string[]>((resolve, reject) => {
  const opening = indexedDB.open('hala.replies');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const all = opening.result.transaction('replies').objectStore('replies').getAll();
    all.onsuccess = () => { opening.result.close(); resolve(all.result as string[]); };
  };
}));

test('two tabs on one conversation keep the messages of both', async ({ page, context }) => {
  await page.goto('/demo/#chat');
  await ask(page, PROMPT);
  const other = await context.newPage();
  await other.goto('/demo/#chat');
  await expect(other.locator('.message.user')).toHaveCount(1);
  await ask(page, 'شكرا لك.');
  // The other tab sees what came meanwhile, without a reload.
  await expect(other.locator('.message.user')).toHaveCount(2);
  await expect(replies(other)).toHaveCount(2);
  await ask(other, 'أين المحطة؟');
  await expect(page.locator('.message.user')).toHaveCount(3);
  const third = await context.newPage();
  await third.goto('/demo/#chat');
  await expect(third.locator('.message.user')).toHaveText([/صباح الخير/, /شكرا لك/, /أين المحطة/]);
  await expect(third.locator('.message.assistant')).toHaveCount(3);
});

test('two tabs that send at the same time keep both messages', async ({ page, context }) => {
  await page.goto('/demo/#chat');
  await ask(page, PROMPT);
  const other = await context.newPage();
  await other.goto('/demo/#chat');
  await expect(other.locator('.message.user')).toHaveCount(1);
  await message(page).fill('شكرا لك.');
  await message(other).fill('أين المحطة؟');
  await Promise.all([message(page).press('Enter'), message(other).press('Enter')]);
  await expect.poll(async () => (await kept(page)).filter(({ role }) => role === 'user').length).toBe(3);
  // Replies are whole in the order in which the two models write them.
  await expect.poll(async () => (await kept(page)).filter(({ role, partial }) => role === 'assistant' && !partial).length).toBe(3);
});

test('a conversation that another tab deletes goes from this one, and its reply ends', async ({ page, context }) => {
  await page.goto('/demo/#chat');
  await slowDown(page);
  await message(page).fill(LONG);
  await message(page).press('Enter');
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
  const other = await context.newPage();
  await other.goto('/demo/#chat');
  other.on('dialog', (dialog) => void dialog.accept());
  await other.getByRole('button', { name: /^Delete/ }).click();
  await expect(page.locator('.entry')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
  expect(await kept(page)).toEqual([]);
});

test('a reload in the middle of a reply keeps what had come, and says that it is incomplete', async ({ page }) => {
  await page.goto('/demo/#chat');
  await slowDown(page);
  await message(page).fill(LONG);
  await message(page).press('Enter');
  await expect.poll(() => keptParts(page)).toEqual([expect.stringMatching(/\w/)]);
  const [had] = await keptParts(page);
  await page.reload();
  const reply = page.locator('.message.assistant');
  await expect(reply).toHaveCount(1);
  expect((await reply.textContent())!.trim().length).toBeGreaterThanOrEqual(had!.trim().length);
  await expect(page.getByText('This reply is incomplete.')).toBeVisible();
  // What takes its place leaves nothing of it.
  await page.getByRole('button', { name: 'Answer again' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
  await expect.poll(() => keptParts(page)).toEqual([]);
});

test('what was written and not sent is there after a reload, in each conversation its own', async ({ page }) => {
  await page.goto('/demo/#chat');
  await ask(page, PROMPT);
  await message(page).fill('not sent yet');
  await page.getByRole('button', { name: 'New conversation' }).first().click();
  await expect(message(page)).toHaveValue('');
  await message(page).fill('another draft');
  await page.locator('.entry', { hasText: 'Translate everything' }).click();
  await expect(message(page)).toHaveValue('not sent yet');
  await page.reload();
  await expect(message(page)).toHaveValue('not sent yet');
  await page.getByRole('link', { name: 'Translate' }).first().click();
  await page.getByRole('textbox', { name: 'Text to translate' }).fill('Thank you.');
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Text to translate' })).toHaveValue('Thank you.');
});

test('a message in another conversation waits for the reply that is being written, and is answered', async ({ page }) => {
  await page.goto('/demo/#chat');
  await slowDown(page);
  await message(page).fill(PROMPT);
  await message(page).press('Enter');
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
  await page.getByRole('button', { name: 'New conversation' }).first().click();
  await message(page).fill(PROMPT);
  await message(page).press('Enter');
  await expect(page.locator('.message.user')).toHaveText(/صباح الخير/);
  await expect(replies(page)).toHaveCount(1);
  await expect(page.locator('.message.assistant')).toHaveText(/^Good morning/);
});

test('a conversation that is deleted while it is answered stops the reply', async ({ page }) => {
  await page.goto('/demo/#chat');
  await slowDown(page);
  await message(page).fill(LONG);
  await message(page).press('Enter');
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: /^Delete/ }).click();
  await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
  // Nothing is written any more: the next reply comes at once, and the deleted one is not there again.
  await ask(page, PROMPT);
  await expect(page.locator('.entry')).toHaveCount(1);
});

test('the model that was used last is loaded again, and a kept one is used by a button', async ({ page }) => {
  const model = `${HUB}/plain/${crypto.randomUUID()}`;
  await page.goto('/demo/');
  await page.getByRole('button', { name: 'Models' }).click();
  const other = page.locator('.model', { hasText: 'Another model' });
  await other.getByRole('textbox').fill(`${model}/resolve/main`);
  await other.getByRole('button', { name: 'Download and use' }).click();
  await expect(other.getByRole('button', { name: 'In use' })).toBeVisible();
  await page.reload();
  await page.getByRole('button', { name: 'Models' }).click();
  const entry = page.locator('.kept li');
  await expect(entry.getByRole('button', { name: 'In use' })).toBeVisible();
  await page.locator('.model', { hasText: 'Built-in translator' }).getByRole('button', { name: 'Use', exact: true }).click();
  await entry.getByRole('button', { name: 'Use', exact: true }).click();
  await expect(entry.getByRole('button', { name: 'In use' })).toBeVisible();
});
