// The package in a page with a strict policy: loading, translation, chat, stopping, errors, lost devices.

import { readFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { open } from './open.ts';

const GREETING = 'صباح الخير';
const MESSAGES = [{ role: 'user', content: `Translate everything that follows into English:\n\n${GREETING}` }] as const;

/** A sentence and what the reference implementation makes of it. */
interface Golden {
  source: string;
  target: string;
}

test.beforeEach(({ page }) => open(page));

/** Translates on a backend, with what was loaded. */
const translate = (page: Page, backend: 'auto' | 'wasm' | 'webgpu', text: string) =>
  page.evaluate(async ([backend, text]) => {
    const pieces: string[] = [];
    const hala = await window.HalaWeb.Hala.load({ backend });
    const result = await hala.translate({ text, onText: (piece) => pieces.push(piece) });
    return { result, pieces, info: hala.info };
  }, [backend, text] as const);

test('a software GPU is passed over for the CPU, and the reason is told', async ({ page }) => {
  const { result, pieces, info } = await translate(page, 'auto', GREETING);
  expect(result.text).toBe('Good morning.');
  expect(pieces.join('')).toBe(result.text);
  expect(pieces.length).toBeGreaterThan(1);
  expect(result).toMatchObject({ from: 'ar', to: 'en', finish_reason: 'stop', segments: [{ source: [0, 10], target: [0, 13] }] });
  expect(info).toMatchObject({ backend: 'wasm', model: { name: 'built-in', family: 'lfm2' } });
  expect(['software-adapter', 'no-adapter', 'no-webgpu']).toContain(info.reasonCode);
});

test('WebGPU gives the CPU\'s text, and goes on after the device was lost, on the CPU after a second loss', async ({ page }) => {
  const text = 'Where is the station? Thank you.';
  const { result: expected } = await translate(page, 'wasm', text);
  // A second loss counts within a minute, which kernels may take to compile.
  await open(page, '/slowclock/');
  // One model for all of it: compiling its kernels takes longest.
  const found = await page.evaluate(async (text) => {
    // One sentence after the other, so that one is left when the device is lost.
    const hala = await window.HalaWeb.Hala.load({ backend: 'webgpu', parallel: 1 });
    const events: string[] = [];
    for (const type of ['devicelost', 'backendchange']) hala.addEventListener(type, () => events.push(type));
    const first = await hala.translate({ text });
    const { info } = hala;
    const texts = [];
    for (let i = 0; i < 2; i++) {
      let n = 0;
      const onText = () => { if (++n === 2) void hala.simulateDeviceLoss(); };
      texts.push((await hala.translate({ text, onText })).text);
    }
    return { first, info, texts, events, backend: (await hala.refresh()).backend };
  }, text);
  expect(found.info).toMatchObject({ backend: 'webgpu', reasonCode: 'asked' });
  expect(found.first.text).toBe(expected.text);
  expect(found.first.segments).toEqual(expected.segments);
  expect(found.texts).toEqual([expected.text, expected.text]);
  expect(found.events).toEqual(['devicelost', 'devicelost', 'backendchange']);
  expect(found.backend).toBe('wasm');
});

test('replies come whole, or in chunks as OpenAI\'s', async ({ page }) => {
  const [whole, chunks] = await page.evaluate(async (messages) => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'wasm' });
    const { completions } = hala.chat;
    const whole = await completions.create({ messages, temperature: 0, logprobs: true, top_logprobs: 2 });
    const chunks = [];
    const options = { stream: true, stream_options: { include_usage: true } } as const;
    for await (const chunk of await completions.create({ messages, temperature: 0, ...options })) chunks.push(chunk);
    return [whole, chunks] as const;
  }, MESSAGES);
  expect(whole).toMatchObject({ object: 'chat.completion', choices: [{ message: { role: 'assistant', content: 'Good morning.' }, finish_reason: 'stop' }] });
  expect(whole.usage.total_tokens).toBe(whole.usage.prompt_tokens + whole.usage.completion_tokens);
  expect(whole.choices[0].logprobs?.content[0]?.top_logprobs).toHaveLength(2);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Good morning.');
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: whole.usage.completion_tokens } });
  expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
});

test('a seed gives the same reply, and requests that are made at once are each answered', async ({ page }) => {
  const { replies, texts } = await page.evaluate(async () => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'wasm' });
    const messages = [{ role: 'user' as const, content: 'Hello' }];
    const ask = (seed: number) => hala.chat.completions.create({ messages, seed, temperature: 20, max_tokens: 8 });
    const replies = await Promise.all([1, 1, 2].map(ask));
    const texts = await Promise.all(['صباح الخير', 'شكرا لك.'].map((text) => hala.translate({ text })));
    return { replies: replies.map(({ choices }) => choices[0].message.content), texts: texts.map(({ text }) => text) };
  });
  expect(replies[1]).toBe(replies[0]);
  expect(replies[2]).not.toBe(replies[0]);
  expect(texts).toEqual(['Good morning.', 'Thank you.']);
});

test('stopping ends the work at once, and what was asked after it is done', async ({ page }) => {
  const found = await page.evaluate(async (messages) => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'wasm' });
    const code = (error: unknown) => (error instanceof window.HalaWeb.HalaError ? error.code : String(error));
    const stop = new AbortController();
    const long = hala.translate({ text: 'أين المحطة؟ شكرا لك. '.repeat(100), signal: stop.signal, onText: () => stop.abort() });
    const after = hala.translate({ text: 'شكرا لك.' });
    const stopped = await long.catch(code);
    for await (const chunk of await hala.chat.completions.create({ messages, stream: true })) {
      if (chunk.choices[0]?.delta.content) break;
    }
    const before = await hala.translate({ text: 'x', signal: AbortSignal.abort() }).catch(code);
    const under = hala.translate({ text: 'شكرا لك.' });
    hala.dispose();
    return { stopped, after: (await after).text, before, under: await under.catch(code), later: await hala.countTokens('x').catch(code) };
  }, MESSAGES);
  expect(found).toEqual({ stopped: 'aborted', after: 'Thank you.', before: 'aborted', under: 'disposed', later: 'disposed' });
});

test('loading can be stopped at its very start', async ({ page }) => {
  const code = await page.evaluate(async () => {
    const { Hala, HalaError } = window.HalaWeb;
    const stop = new AbortController();
    const loading = Hala.load({ backend: 'wasm', signal: stop.signal });
    stop.abort();
    return loading.then(() => 'loaded', (error: unknown) => (error instanceof HalaError ? error.code : String(error)));
  });
  expect(code).toBe('aborted');
});

test('bad models and requests are told apart by their codes', async ({ page }) => {
  const codes = await page.evaluate(async () => {
    const { Hala, HalaError } = window.HalaWeb;
    const code = (error: unknown) => (error instanceof HalaError ? error.code : String(error));
    const hala = await Hala.load({ backend: 'wasm' });
    return [
      await Hala.load({ model: '/nowhere', backend: 'wasm' }).catch(code),
      await Hala.load({ model: '/cut/model', backend: 'wasm' }).catch(code),
      await Hala.load({ model: [new File(['{}'], 'config.json')], backend: 'wasm' }).catch(code),
      await hala.translate({ text: 'x', from: 'en', to: 'en' }).catch(code),
      await hala.chat.completions.create({ messages: [], temperature: -1 }).catch(code),
      await hala.chat.completions.create({ messages: [{ role: 'user', content: 'word '.repeat(20_000) }] }).catch(code),
    ];
  });
  expect(codes).toEqual(['not-found', 'damaged-model', 'missing-file', 'same-language', 'invalid-request', 'context-length-exceeded']);
});

test('a server that sends files whole is asked for the weights once', async ({ page }) => {
  let n_asked = 0;
  page.on('request', (request) => { if (request.url().endsWith('/whole/model/model.safetensors')) n_asked += 1; });
  const text = await page.evaluate(async () => {
    const hala = await window.HalaWeb.Hala.load({ model: '/whole/model', backend: 'wasm', cache: false });
    return (await hala.translate({ text: 'شكرا لك.' })).text;
  });
  expect(text).toBe('Thank you.');
  // For its size, and for its bytes.
  expect(n_asked).toBe(2);
});

test('files that the user chose make the same model', async ({ page }) => {
  const text = await page.evaluate(async () => {
    const names = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
    const files = await Promise.all(names.map(async (name) => new File([await (await fetch(`/dist/model/${name}`)).blob()], name)));
    const hala = await window.HalaWeb.Hala.load({ model: files, backend: 'wasm' });
    return (await hala.translate({ text: 'Thank you.' })).text;
  });
  expect(text).toMatch(/^شكر/);
});

test('what a model thinks has a field of its own, whole and streamed, and is given back', async ({ page }) => {
  const found = await page.evaluate(async () => {
    // Its prompt opens a thought, which the built-in model does not close.
    const template = '{% for m in messages %}{% if m.reasoning_content and keeps %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}\n{% endfor %}'
      + '{% if add_generation_prompt %}<think>{% endif %}';
    const names = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
    const files = await Promise.all(names.map(async (name) => new File([await (await fetch(`/dist/model/${name}`)).blob()], name)));
    const hala = await window.HalaWeb.Hala.load({ model: [...files, new File([template], 'chat_template.jinja')], backend: 'wasm' });
    const request = { messages: [{ role: 'user', content: 'hello' }], temperature: 0, max_tokens: 5, logit_bias: { 7: -100 } } as const;
    const whole = await hala.chat.completions.create(request);
    const streamed: (string | undefined)[] = [];
    for await (const chunk of await hala.chat.completions.create({ ...request, stream: true })) streamed.push(chunk.choices[0]?.delta.reasoning_content);
    const { message } = whole.choices[0];
    const later = { ...request, messages: [...request.messages, message, ...request.messages] };
    const left = await hala.chat.completions.create(later);
    const kept = await hala.chat.completions.create({ ...later, chat_template_kwargs: { keeps: true } });
    return { message, usage: whole.usage, streamed: streamed.filter(Boolean), n_more: kept.usage.prompt_tokens - left.usage.prompt_tokens };
  });
  expect(found.message).toEqual({ role: 'assistant', reasoning_content: expect.stringMatching(/\S/), content: '', refusal: null });
  expect(found.streamed.join('')).toBe(found.message.reasoning_content);
  expect(found.usage.completion_tokens_details!.reasoning_tokens).toBeGreaterThan(0);
  expect(found.n_more).toBeGreaterThan(0);
});

test('the worker\'s death is told to whoever waits, and a new model can be loaded', async ({ page }) => {
  const found = await page.evaluate(async () => {
    const { Hala, HalaError } = window.HalaWeb;
    const code = (error: unknown) => (error instanceof HalaError ? error.code : String(error));
    const RealWorker = window.Worker;
    window.Worker = class extends RealWorker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(new URL('/dist/no-such-worker.js', location.href), options);
        void url;
      }
    };
    const dead = await Hala.load().catch(code);
    window.Worker = RealWorker;
    const hala = await Hala.load({ backend: 'wasm' });
    return [dead, (await hala.translate({ text: 'شكرا لك.' })).text];
  });
  expect(found).toEqual(['worker-died', 'Thank you.']);
});
