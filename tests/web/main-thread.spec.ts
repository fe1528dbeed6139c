// What the page's own thread is given to do while a model loads, translates and answers: nothing of the model's, and pieces of work that do not grow
// with the text or the conversation. All is counted, so that no machine is too slow for it; how long the pieces take is measured by
// benches/web/main-thread.mjs.

import { expect, test, type CDPSession, type Page } from '@playwright/test';
import { startCounting, watch, watched, workOf, type Work } from './watch.ts';

const SENTENCES = ['صباح الخير. ', 'أين المحطة؟ ', 'شكرا لك. '];
const N_SENTENCES = 90;

/** Pieces in which the page's work is counted, near the text's start and near its end. */
const N_COUNTED = 20;

/** Of a message that carries a piece of the translation, with all that is around it. */
const MOST_CHARACTERS = 200;

/** Of the document's changes in one task: some tens of sentences, or messages, may be made in it. */
const MOST_NODES = 500;

/** Calls for each sentence when the whole translation is put in place of the pieces: its element, with what listens to it. */
const MOST_CALLS_A_SENTENCE = 150;

/** Pieces are of different lengths, and a text node begins now and then. */
const EVEN = 1.3;

/** Of a text that a piece is added to, with the piece: after some 300 another text begins, so that how many characters change depends on where pieces fall. */
const MOST_OF_TEXT = 400;

test.use({ locale: 'en-GB' });

/** The work late in a text is what it was early, whatever is there already. */
function expectEven(early: Work, late: Work, name: string): void {
  test.info().annotations.push({ type: name, description: `${JSON.stringify(early)} and ${JSON.stringify(late)}` });
  for (const key of ['n_calls', 'n_nodes', 'n_characters', 'n_parsed'] as const) {
    const even = EVEN * early[key] + N_COUNTED;
    expect(late[key], `${name}: ${key}`).toBeLessThanOrEqual(key === 'n_characters' ? Math.max(even, N_COUNTED * MOST_OF_TEXT) : even);
  }
}

for (const [name, separator] of [['one line', ''], ['many lines', '\n']] as const) {
  test(`a translation in ${name} costs the page the same for each piece, and nothing of the model`, async ({ page }) => {
    await page.addInitScript(watch, { isWritten: false });
    const session = await startCounting(page);
    await page.goto('/demo/');
    await page.locator('textarea').first().fill(SENTENCES.join(separator).repeat(N_SENTENCES / SENTENCES.length).trim());

    await expect.poll(() => watched(page, ({ waiting }) => waiting.length)).toBeGreaterThan(2 * N_COUNTED);
    await watched(page, (watched) => watched.handOver(4));
    const handOver = () => page.evaluate((n) => globalThis.watched.handOver(n), N_COUNTED);
    const early = await workOf(page, session, handOver);
    await expect.poll(() => watched(page, ({ messages }) => messages.filter(({ kind }) => kind === 'done').length)).toBe(2);
    // All but the last pieces, of which many come in a frame, and the end.
    await page.evaluate((n) => {
      for (const next of globalThis.watched.waiting.splice(0, globalThis.watched.waiting.length - n)) next();
    }, N_COUNTED + 5);
    await watched(page, (watched) => watched.handOver(4));
    const late = await workOf(page, session, handOver);
    await expect(page.locator('.sentence')).toHaveCount(0);
    const end = await workOf(page, session, async () => {
      await watched(page, (watched) => watched.handOver(1));
      await expect(page.locator('.sentence')).toHaveCount(N_SENTENCES);
    });

    expectEven(early, late, name);
    expect(early.n_calls).toBeGreaterThan(N_COUNTED);
    expect(early.n_characters).toBeGreaterThan(N_COUNTED);
    expect(end.n_calls).toBeLessThanOrEqual(MOST_CALLS_A_SENTENCE * N_SENTENCES);
    expect(end.most_nodes).toBeLessThanOrEqual(MOST_NODES);
    await expectNothingOfTheModel(page);
  });
}

/** The worker has the module and the model, and what it sends is pieces: a token's text or a few, never what there is so far. */
async function expectNothingOfTheModel(page: Page): Promise<void> {
  const { wasm, messages, waiting } = await watched(page, ({ wasm, messages, waiting }) => ({ wasm, messages, waiting: waiting.length }));
  expect(waiting).toBe(0);
  const pieces = messages.filter(({ kind }) => kind === 'piece');
  expect(pieces.length).toBeGreaterThan(2 * N_SENTENCES);
  expect(Math.max(...pieces.map(({ n }) => n))).toBeLessThanOrEqual(MOST_CHARACTERS);
  expect(wasm).toEqual([]);
  const fetched = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  expect(fetched.length).toBeGreaterThan(0);
  expect(fetched.filter((name) => /\.(wasm|safetensors)$|tokenizer\.json$/.test(name))).toEqual([]);
}

test('keys in a long text change no more than keys in a short one', async ({ page }) => {
  await page.addInitScript(watch, { isWritten: false });
  const session = await startCounting(page);
  await page.goto('/demo/');
  const source = page.getByRole('textbox', { name: 'Text to translate' });
  const type = () => workOf(page, session, () => source.pressSequentially('شكرا لك كثيرا يا أخي'));
  // Long enough to tell its language.
  await source.fill(SENTENCES.join('').repeat(100));
  const short = await type();
  await source.fill(SENTENCES.join('').repeat(600));
  expectEven(short, await type(), 'keys');
});

/** Opens a conversation of some messages, and asks for a reply that the test writes; it begins with a word. */
async function openReply(page: Page, n_messages: number): Promise<CDPSession> {
  const session = await askForReply(page, n_messages);
  await watched(page, (watched) => watched.say(['نعم']));
  await expect(page.locator('.message').last()).toHaveText('نعم');
  return session;
}

async function askForReply(page: Page, n_messages: number): Promise<CDPSession> {
  await page.addInitScript(watch, { isWritten: true });
  const session = await startCounting(page);
  await page.goto('/demo/#chat');
  const messages = Array.from({ length: n_messages }, (_, n) => ({ role: n % 2 ? 'assistant' : 'user', content: `**رسالة** رقم ${n}. `.repeat(20) }));
  const file = JSON.stringify({ version: 1, conversations: [{ id: 'x', title: '', system: '', changed: 1, messages }] });
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Import' }).click()]);
  await chooser.setFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from(file) });
  await expect(page.locator('.message')).toHaveCount(n_messages);
  await page.getByRole('textbox', { name: 'Message', exact: true }).fill('شكرا');
  await page.getByRole('textbox', { name: 'Message', exact: true }).press('Enter');
  await expect(page.locator('.message')).toHaveCount(n_messages + 2);
  await expect.poll(() => watched(page, ({ isAsked }) => isAsked)).toBe(true);
  return session;
}

const say = (page: Page, pieces: readonly (string | { reasoning_content: string })[]) => page.evaluate((pieces) => globalThis.watched.say(pieces), pieces);

const WORDS = Array.from({ length: N_COUNTED }, (_, n) => ` كلمة${n}`);

/** What a reply grows by, piece by piece: paragraphs, items, lines of code. */
const GROWN: Record<string, (n: number) => string> = {
  paragraphs: (n) => `\n\nفقرة **${n}** من الرد.`,
  items: (n) => `${n === 0 ? '\n' : ''}\n${n + 1}. البند **${n}**`,
  code: (n) => `${n === 0 ? '\n\n```js' : ''}\nconst line${n} = ${n};`,
};

test('a thought costs the page the same for each piece', async ({ page }) => {
  const session = await askForReply(page, 4);
  const pieces = (from: number, n: number) => Array.from({ length: n }, (_, k) => ({ reasoning_content: GROWN['paragraphs']!(from + k) }));
  await say(page, pieces(0, 4));
  const early = await workOf(page, session, () => say(page, pieces(4, N_COUNTED)));
  await say(page, [{ reasoning_content: pieces(4 + N_COUNTED, 300).map((piece) => piece.reasoning_content).join('') }]);
  await say(page, pieces(304 + N_COUNTED, 4));
  const late = await workOf(page, session, () => say(page, pieces(308 + N_COUNTED, N_COUNTED)));
  expectEven(early, late, 'thought');
});

for (const [name, grown] of Object.entries(GROWN)) {
  test(`a reply of ${name} costs the page the same for each piece`, async ({ page }) => {
    const session = await openReply(page, 4);
    const pieces = (from: number, n: number) => Array.from({ length: n }, (_, k) => grown(from + k));
    await say(page, pieces(0, 4));
    const early = await workOf(page, session, () => say(page, pieces(4, N_COUNTED)));
    // Many come in a frame.
    await say(page, [pieces(4 + N_COUNTED, 300).join('')]);
    await say(page, pieces(304 + N_COUNTED, 4));
    const late = await workOf(page, session, () => say(page, pieces(308 + N_COUNTED, N_COUNTED)));
    expectEven(early, late, name);
    // What was written by additions is in the end what it would be as a whole.
    await watched(page, (watched) => watched.end());
    const reply = page.locator('.message.assistant .markdown').last();
    await expect(page.getByRole('button', { name: 'Stop' })).toHaveCount(0);
    const written = await reply.innerHTML();
    await page.reload();
    await expect(page.locator('.message')).toHaveCount(6);
    await expect.poll(() => reply.innerHTML()).toBe(written);
  });
}

test('a piece of a reply costs the page the same in a long conversation, and so does keeping it', async ({ page, context }) => {
  const work = async (page: Page, n_messages: number) => {
    const session = await openReply(page, n_messages);
    await watched(page, (watched) => { watched.kept.length = 0; });
    const work = await workOf(page, session, () => say(page, WORDS));
    // More passes by the page's clock than a reply goes without being kept.
    await page.evaluate(() => {
      const now = performance.now.bind(performance);
      performance.now = () => now() + 5000;
    });
    await say(page, [' آخر']);
    await expect.poll(() => watched(page, ({ kept }) => kept.length)).toBeGreaterThan(0);
    return { work, kept: Math.max(...(await watched(page, ({ kept }) => kept))) };
  };
  const short = await work(page, 4);
  const long = await work(await context.newPage(), 200);
  expectEven(short.work, long.work, 'conversation');
  expect(long.kept).toBeLessThanOrEqual(EVEN * short.kept);
});

test('a long conversation is opened in pieces', async ({ page }) => {
  const session = await openReply(page, 200);
  await watched(page, (watched) => watched.end());
  await page.getByRole('button', { name: 'New conversation' }).first().click();
  const work = await workOf(page, session, async () => {
    await page.locator('.entry').last().click();
    await expect(page.locator('.message')).toHaveCount(202);
  });
  expect(work.n_nodes).toBeGreaterThan(200);
  expect(work.most_nodes).toBeLessThanOrEqual(MOST_NODES);
});
