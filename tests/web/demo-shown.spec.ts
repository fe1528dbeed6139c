// What the demo shows of texts: directions in replies, images in words, languages that it does not know, samples, files that are dropped.

import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { watch, watched } from './watch.ts';

test.use({ locale: 'en-GB', viewport: { width: 1280, height: 800 } });

/** Opens the chat with a conversation of one reply. */
async function show(page: Page, content: string): Promise<void> {
  await page.goto('/demo/#chat');
  const messages = [{ role: 'user', content: 'س' }, { role: 'assistant', content }];
  const file = JSON.stringify({ version: 1, conversations: [{ id: 'x', title: '', system: '', changed: 1, messages }] });
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Import' }).click()]);
  await chooser.setFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from(file) });
  await expect(page.locator('.message.assistant')).toBeVisible();
}

const direction = (page: Page, selector: string) => page.locator(`.message.assistant ${selector}`).first().evaluate((element) => getComputedStyle(element).direction);

test('items of a list follow the list, and code does not turn them', async ({ page }) => {
  await show(page, '1. أولًا: افتح الطرفية.\n2. ثانيًا: استخدم `npm install` ثم `npm run dev`.\n3. `npm test`');
  expect(await direction(page, 'ol')).toBe('rtl');
  for (const item of ['li:nth-child(1)', 'li:nth-child(2)', 'li:nth-child(3)']) expect(await direction(page, item)).toBe('rtl');
  expect(await direction(page, 'code')).toBe('ltr');
  await expect(page.locator('.message.assistant li')).toHaveCount(3);
});

test('a paragraph in another language than its message has its own direction', async ({ page }) => {
  await show(page, 'هذه إجابة طويلة بالعربية، وفيها ما يكفي من الكلام.\n\nThis is English.\n\n- 123\n- نعم');
  expect(await direction(page, 'p:nth-child(1)')).toBe('rtl');
  expect(await page.locator('.message.assistant p', { hasText: 'This is English.' }).evaluate((element) => getComputedStyle(element).direction)).toBe('ltr');
  expect(await direction(page, 'ul')).toBe('rtl');
});

test('an image is told in words, with its address, and nothing is fetched', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await show(page, '![the harbour](http://example.org/harbour.png)\n\n<img src="http://example.org/other.png" alt="other">\n\n<table background="http://example.org/b.png"><tr><td background="http://example.org/c.png">x</td></tr></table>');
  const reply = page.locator('.message.assistant');
  await expect(reply).toContainText('the harbour http://example.org/harbour.png');
  await expect(reply).toContainText('other http://example.org/other.png');
  await expect(reply.getByRole('link').first()).toHaveAttribute('href', 'http://example.org/harbour.png');
  await expect(reply.locator('[background]')).toHaveCount(0);
  expect(asked.filter((url) => url.includes('example.org'))).toEqual([]);
});

/** What pages have been broken with; `x` would be set. */
const ATTACKS = [
  '<script>window.x = 1</script>', '<img src=x onerror="window.x = 1">', '<svg onload="window.x = 1"></svg>', '<svg><script>window.x = 1</script></svg>', '<math><mtext></mtext></math>',
  '<iframe srcdoc="<script>parent.x = 1</script>"></iframe>', '<object data="javascript:window.x = 1"></object>', '<embed src="javascript:window.x = 1">', '<form action="http://example.org"><button>go</button></form>',
  '[link](javascript:window.x=1)', '[link](data:text/html,<script>window.x=1</script>)', '<a href="javascript:window.x=1">link</a>', '<a href="http://example.org" ping="http://example.org/ping">link</a>',
  '<template><script>window.x = 1</script></template>', '<details open ontoggle="window.x = 1">x</details>', '<video src=x onerror="window.x = 1"></video>', '<link rel="stylesheet" href="http://example.org/a.css">',
  '<style>@import "http://example.org/a.css";</style>', '<meta http-equiv="refresh" content="0;url=http://example.org">', '<base href="http://example.org/">', '<p style="background: url(http://example.org/a.png)">x</p>',
  '<input autofocus onfocus="window.x = 1">', '<body onload="window.x = 1">', '<table background="http://example.org/a.png"><tr><td>x</td></tr></table>', '<div id="app" class="update">x</div>',
];

test('what a reply holds runs nothing, fetches nothing and takes no place of the page\'s', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await show(page, ATTACKS.join('\n\n'));
  const reply = page.locator('.message.assistant');
  await expect(reply.getByRole('link').first()).toBeVisible();
  const left = await reply.evaluate((reply) => [...reply.querySelectorAll('.markdown > div *')].filter((element) => (
    element.matches('script, svg, math, img, iframe, object, embed, form, button, template, video, link, style, meta, base, input')
    || [...element.attributes].some(({ name, value }) => /^on|^style$|^id$|^ping$|^background$/.test(name) || /^\s*(javascript|data):/i.test(value))
  )).map((element) => element.outerHTML));
  expect(left).toEqual([]);
  expect(await page.evaluate(() => 'x' in window)).toBe(false);
  expect(asked.filter((url) => url.includes('example.org'))).toEqual([]);
});

test('in the chat the built-in model is called a translator, and a button leads to models that talk', async ({ page }) => {
  await page.goto('/demo/#chat');
  await expect(page.getByText('The built-in model is a translator: it does not answer questions.')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Message', exact: true })).toHaveAttribute('placeholder', 'Write a text to translate');
  await page.getByRole('button', { name: 'Get a model that talks' }).click();
  await expect(page.getByRole('dialog', { name: 'Choose a model' })).toBeVisible();
});

test('as the demo is served, its policy binds the worker that fetches models', async ({ page }) => {
  const worker = page.waitForEvent('worker');
  await page.goto('http://localhost:8133/');
  const policy = (await page.request.get((await worker).url())).headers()['content-security-policy'];
  expect(policy).toContain("connect-src 'self' https: http://localhost:*;");
  await page.getByRole('button', { name: 'Models' }).click();
  const name = crypto.randomUUID();
  const other = page.locator('.model', { hasText: 'Another model' });
  await other.getByRole('textbox').fill(`http://127.0.0.1:8131/plain/${name}/resolve/main`);
  await other.getByRole('button', { name: 'Download and use' }).click();
  await expect(page.getByRole('dialog').getByRole('alert')).toBeVisible();
  expect(await (await fetch(`http://localhost:8131/log/${name}`)).json()).toEqual([]);
});

test('a reply without a word is told to be one, and is asked for again', async ({ page }) => {
  await page.addInitScript(watch, { isWritten: true });
  await page.goto('/demo/#chat');
  const message = page.getByRole('textbox', { name: 'Message', exact: true });
  const asked = () => expect.poll(() => watched(page, ({ isAsked }) => isAsked)).toBe(true);
  await message.fill('Hello');
  await message.press('Enter');
  await asked();
  await watched(page, (watched) => watched.end());
  await expect(page.getByText('The model answered with nothing.')).toBeVisible();
  await page.reload();
  await expect(page.getByText('The model answered with nothing.')).toBeVisible();
  await page.getByRole('button', { name: 'Try again' }).click();
  await asked();
  await watched(page, (watched) => watched.say(['Good day.']));
  await watched(page, (watched) => watched.end());
  await expect(page.locator('.message.assistant')).toHaveText('Good day.');
  await expect(page.getByText('The model answered with nothing.')).toHaveCount(0);
  await expect(page.locator('.messages > li')).toHaveCount(2);
});

const source = (page: Page) => page.getByRole('textbox', { name: 'Text to translate' });
const sentences = (page: Page) => page.locator('.sentence');

test('each sample is translated well by the built-in model', async ({ page }) => {
  await page.goto('/demo/');
  const expected = [/^Good morning\. Where.s the station\?$/, /^شكر.*محطة/, /^Thank you\.$/];
  for (const [index, words] of expected.entries()) {
    await page.locator('.samples button').nth(index).click();
    await expect(page.locator('.output')).toHaveText(words);
    await page.getByRole('button', { name: 'Clear' }).click();
  }
});

test('a text in another language is told to be one, and one that is translated already offers the other way', async ({ page }) => {
  await page.goto('/demo/');
  for (const text of ['Bonjour, je suis ravi de vous voir', '你好，世界', 'سلام، حال شما چطور است؟']) {
    await source(page).fill(text);
    await expect(page.getByText(/Only Arabic and English are known here/)).toBeVisible();
  }
  await source(page).fill('Thank you.');
  await expect(page.getByText(/Only Arabic and English/)).toHaveCount(0);
  await page.getByRole('radio', { name: 'Arabic', exact: true }).check();
  await page.getByRole('button', { name: 'Translate from English to Arabic' }).click();
  await expect(page.locator('.output')).toHaveText(/^شكر/);
});

test('after a swap what was not chosen reads as it does before', async ({ page }) => {
  await page.goto('/demo/');
  await source(page).fill('شكرا لك.');
  await expect(sentences(page)).toHaveCount(1);
  await page.getByRole('button', { name: 'Swap languages' }).click();
  await expect(page.getByText('Detect language')).toBeVisible();
  await expect(page.getByText(/^Detected:/)).toHaveCount(0);
});

test('a file that is dropped on the pane is opened', async ({ page }) => {
  await page.goto('/demo/');
  const data = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['شكرا لك.'], 'text.txt', { type: 'text/plain' }));
    return transfer;
  });
  await page.locator('.pane').first().dispatchEvent('drop', { dataTransfer: data });
  await expect(source(page)).toHaveValue('شكرا لك.');
  await expect(page.locator('.output')).toHaveText('Thank you.');
});

test('a model\'s name on the Hub is taken for its address', async ({ page }) => {
  await page.goto('/demo/');
  await page.getByRole('button', { name: 'Models' }).click();
  const other = page.locator('.model', { hasText: 'Another model' });
  await other.getByRole('textbox').fill('LiquidAI/LFM2-1.2B');
  await expect(other.getByText('Downloaded from huggingface.co')).toBeVisible();
  await expect(other.getByRole('button', { name: 'Download and use' })).toBeVisible();
});

test('the licences of all that the page is made of are beside it', async ({ page, request }) => {
  await page.goto('/demo/');
  await page.getByRole('button', { name: 'About and licences' }).click();
  const links = page.getByRole('dialog').getByRole('link');
  await expect(links).toHaveCount(3);
  for (const link of await links.all()) {
    const response = await request.get(new URL((await link.getAttribute('href'))!, page.url()).href);
    expect(response.ok()).toBe(true);
    expect((await response.text()).length).toBeGreaterThan(1000);
  }
  const notices = readFileSync(new URL('../../web/demo/dist/licences/NOTICES.txt', import.meta.url), 'utf8');
  for (const name of ['preact', 'marked', 'dompurify', 'idb', '@fontsource/ibm-plex-sans-arabic', 'tokenizers', '@noble/hashes']) expect(notices).toContain(`${name} `);
});

test('the demo chats on a page without https', async ({ page }) => {
  await page.goto('http://app.test:8130/demo/#chat');
  const language = await page.evaluate(() => document.documentElement.lang);
  const message = page.getByRole('textbox', { name: language === 'ar' ? 'الرسالة' : 'Message', exact: true });
  await message.fill('Translate everything that follows into English:\n\nصباح الخير');
  await message.press('Enter');
  await expect(page.locator('.message.assistant')).toHaveText(/^Good morning/);
});
