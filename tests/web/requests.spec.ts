// What is asked of the package wrongly, or where it cannot run: every error is a HalaError, with a code and in the words of the request.

import { execFileSync } from 'node:child_process';
import { expect, test, type Page } from '@playwright/test';
import { open } from './open.ts';

const MESSAGES = [{ role: 'user', content: 'Translate everything that follows into English:\n\nصباح الخير' }];

/** What an expression in the page throws, in a few words: its class, name, code and message. */
const thrown = (page: Page, requests: readonly unknown[]) => page.evaluate(async (requests) => {
  const { Hala, HalaError } = window.HalaWeb;
  const hala = await Hala.load({ backend: 'wasm' });
  const found = [];
  for (const request of requests) {
    try {
      await hala.chat.completions.create(request as Parameters<typeof hala.chat.completions.create>[0]);
      found.push('accepted');
    } catch (error) {
      found.push(error instanceof HalaError ? `${error.code}: ${error.message}` : String(error));
    }
  }
  return found;
}, requests);

test('fields of the API that ask for nothing are accepted', async ({ page }) => {
  await open(page);
  const messages = MESSAGES;
  const idle = [
    { n: 1 }, { response_format: { type: 'text' } }, { user: 'someone', metadata: { a: 'b' }, store: false }, { tools: null, logit_bias: null, stop: null, seed: null },
    { tool_choice: 'auto' }, { parallel_tool_calls: true, service_tier: 'auto' },
  ];
  const found = await thrown(page, idle.map((fields) => ({ messages, max_tokens: 2, ...fields })));
  expect(found).toEqual(idle.map(() => 'accepted'));
});

test('others are refused by the field\'s path, before the model is asked, streams too', async ({ page }) => {
  await open(page);
  const messages = MESSAGES;
  const rows: [object, RegExp][] = [
    [{ messages, temprature: 1 }, /^invalid-request: temprature is no field .* did you mean temperature\?/],
    [{ messages, n: 0 }, /^invalid-request: n is 0, and must be a whole number from 1 to 128/],
    [{ messages, n: 1.5 }, /^invalid-request: n is 1\.5/],
    [{ messages, n: 129, stream: true }, /^invalid-request: n is 129/],
    [{ messages, response_format: { type: 'json_object' } }, /response_format is \{"type":"json_object"\}/],
    [{ messages, temperature: 'hot', stream: true }, /temperature is "hot", and must be a number/],
    [{ messages, top_p: 2 }, /top_p is 2, and must be a number from 0 to 1/],
    [{ messages, max_tokens: 0 }, /max_tokens is 0/],
    [{ messages: 'hello' }, /messages is "hello", and must be a list/],
    [{}, /messages is absent/],
    [{ messages: [{ role: 'robot', content: 'x' }] }, /messages\[0\]\.role is "robot"/],
    [{ messages: [...messages, { role: 'user', content: 5 }], stream: true }, /messages\[1\]\.content is 5/],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, /messages\[0\]\.content\[0\] is "image_url"/],
  ];
  const found = await thrown(page, rows.map(([request]) => request));
  for (const [index, [, words]] of rows.entries()) expect(found[index]).toMatch(words);
  for (const message of found) expect(message).not.toMatch(/line \d+ column|unknown field|serde|enum/);
});

test('a stream that the model refuses is rejected by create', async ({ page }) => {
  await open(page);
  const messages = [{ role: 'user', content: 'word '.repeat(20_000) }];
  expect(await thrown(page, [{ messages, stream: true }])).toEqual([expect.stringMatching(/^context-length-exceeded/)]);
});

test('work that the page stops ends in an AbortError', async ({ page }) => {
  await open(page);
  const names = await page.evaluate(async (messages) => {
    const { Hala } = window.HalaWeb;
    const hala = await Hala.load({ backend: 'wasm' });
    const name = (error: unknown) => (error as Error).name;
    const signal = AbortSignal.abort();
    return [
      await hala.translate({ text: 'x', signal }).catch(name),
      await hala.chat.completions.create({ messages: messages as [], signal, stream: true }).catch(name),
      await Hala.load({ signal }).catch(name),
    ];
  }, MESSAGES);
  expect(names).toEqual(['AbortError', 'AbortError', 'AbortError']);
});

test('a number at once that is none is refused by its name', async ({ page }) => {
  await open(page);
  const found = await page.evaluate(async () => {
    const message = (error: unknown) => (error instanceof window.HalaWeb.HalaError ? `${error.code}: ${error.message}` : String(error));
    return Promise.all([0, 2.5, '4'].map((parallel) => window.HalaWeb.Hala.load({ backend: 'wasm', parallel: parallel as number }).then(() => 'loaded', message)));
  });
  expect(found).toEqual([0, 2.5, '"4"'].map((value) => `invalid-request: parallel is ${value}, and must be a whole number of 1 or more`));
});

test('what is no model is refused as a request', async ({ page }) => {
  await open(page);
  const found = await page.evaluate(async () => {
    const { Hala, HalaError } = window.HalaWeb;
    const code = (error: unknown) => (error instanceof HalaError ? error.code : String(error));
    return Promise.all([42, 'http://', [], [1], {}].map((model) => Hala.load({ model: model as string }).then(() => 'loaded', code)));
  });
  expect(found).toEqual(Array<string>(5).fill('invalid-request'));
});

test('names and pages of the Hub are understood, and a message has the address that was tried', async ({ page }) => {
  await open(page);
  const found = await page.evaluate(async () => {
    const { folderOf, Hala, HalaError } = window.HalaWeb;
    const folders = [
      'LiquidAI/LFM2-1.2B', 'https://huggingface.co/LiquidAI/LFM2-1.2B', 'https://hf.co/LiquidAI/LFM2-1.2B/', 'https://huggingface.co/a/b/tree/v1.0',
      'https://huggingface.co/a/b/blob/main/config.json', 'https://example.org/models/x', '/models/x/', './x',
    ].map((model) => folderOf(model).href);
    const message = await Hala.load({ model: '/nowhere/', backend: 'wasm' }).then(() => '', (error: unknown) => (error instanceof HalaError ? `${error.code} ${error.message}` : ''));
    return { folders, message };
  });
  expect(found.folders).toEqual([
    'https://huggingface.co/LiquidAI/LFM2-1.2B/resolve/main/', 'https://huggingface.co/LiquidAI/LFM2-1.2B/resolve/main/',
    'https://huggingface.co/LiquidAI/LFM2-1.2B/resolve/main/', 'https://huggingface.co/a/b/resolve/v1.0/', 'https://huggingface.co/a/b/resolve/main/',
    'https://example.org/models/x/', 'http://localhost:8130/models/x/', 'http://localhost:8130/x/',
  ]);
  expect(found.message).toMatch(/^not-found .*http:\/\/localhost:8130\/nowhere\//);
});

test('in Node.js it is refused by its code', () => {
  const script = "import('./index.js').then(({ Hala }) => Hala.load()).then(() => console.log('loaded'), (error) => console.log(error.name, error.code))";
  const cwd = new URL('../../web/package/dist/', import.meta.url);
  expect(execFileSync('node', ['--input-type=module', '-e', script], { cwd, encoding: 'utf8' }).trim()).toBe('HalaError unsupported-environment');
});

test('in a page of another origin than the package\'s it is refused by its code', async ({ page }) => {
  await page.route('http://localhost:8130/dist/**', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), 'Access-Control-Allow-Origin': '*' } });
  });
  await page.goto('http://localhost:8131/log/x');
  const found = await page.evaluate(async () => {
    const { Hala } = (await import('http://localhost:8130/dist/index.js' as string)) as typeof window.HalaWeb;
    return Hala.load().then(() => 'loaded', (error: { name: string; code: string }) => `${error.name} ${error.code}`);
  });
  expect(found).toBe('HalaError unsupported-environment');
});

test('in a service worker it is refused by its code', async ({ page }) => {
  await page.goto('/');
  const found = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.register('/service-worker.js', { type: 'module' });
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data); });
    (registration.installing ?? registration.waiting ?? registration.active)!.postMessage(null, [port2]);
    return answer;
  });
  expect(found).toEqual([true, 'unsupported-environment']);
});

test('in a worker of the page\'s own it works', async ({ page }) => {
  await open(page);
  const text = await page.evaluate(() => new Promise((resolve) => {
    const worker = new Worker('/consumers-worker.js', { type: 'module' });
    worker.addEventListener('message', ({ data }) => resolve(data));
    worker.addEventListener('error', ({ message }) => resolve(message));
  }));
  expect(text).toBe('Good morning.');
});

test('on a page without https translation and chat work, and nothing is kept', async ({ page }) => {
  await page.goto('http://app.test:8130/');
  const found = await page.evaluate(async (messages) => {
    const { Hala } = (await import('/dist/index.js' as string)) as typeof window.HalaWeb;
    const hala = await Hala.load({ backend: 'wasm' });
    const reply = await hala.chat.completions.create({ messages: messages as [], temperature: 0 });
    return { secure: isSecureContext, translated: (await hala.translate({ text: 'صباح الخير' })).text, reply: reply.choices[0].message.content, kept: await Hala.cache.list() };
  }, MESSAGES);
  expect(found).toEqual({ secure: false, translated: 'Good morning.', reply: 'Good morning.', kept: [] });
});
