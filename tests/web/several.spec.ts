// Several at once: replies to one request (`n`), and the sentences of a translation.

import { expect, test } from '@playwright/test';
import { open } from './open.ts';

/** A request whose replies differ, and end at different lengths. */
const REQUEST = {
  messages: [{ role: 'user', content: 'Translate everything that follows into English:\n\nصباح الخير' }], temperature: 1.5, seed: 7, max_tokens: 12, logprobs: true, top_logprobs: 1,
} as const;

test.beforeEach(({ page }) => open(page));

test('several replies are those of their seeds, with the prompt counted once', async ({ page }) => {
  const { together, alone, between } = await page.evaluate(async (request) => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'wasm' });
    const { completions } = hala.chat;
    const alone = [];
    for (let i = 0; i < 5; i++) alone.push(await completions.create({ ...request, seed: request.seed + i }));
    // More than are computed at once, and in between a translation by the same scheduler.
    const many = completions.create({ ...request, n: 20 });
    const between = hala.translate({ text: 'شكرا لك.' });
    return { together: await many, alone, between: (await between).text };
  }, REQUEST);
  expect(together.choices.map(({ index }) => index)).toEqual([...Array(20).keys()]);
  for (const [index, one] of alone.entries()) expect(together.choices[index]).toEqual({ ...one.choices[0], index });
  expect(new Set(together.choices.map(({ message }) => message.content)).size).toBeGreaterThan(1);
  const { prompt_tokens, completion_tokens, total_tokens } = together.usage;
  expect(prompt_tokens).toBe(alone[0]!.usage.prompt_tokens);
  expect(completion_tokens).toBeGreaterThan(20);
  expect(total_tokens).toBe(prompt_tokens + completion_tokens);
  expect(between).toBe('Thank you.');
});

test('their chunks say whose they are, and each ends once', async ({ page }) => {
  const { whole, chunks } = await page.evaluate(async (request) => {
    const { completions } = (await window.HalaWeb.Hala.load({ backend: 'wasm' })).chat;
    const whole = await completions.create({ ...request, n: 4 });
    const chunks = [];
    for await (const chunk of await completions.create({ ...request, n: 4, stream: true, stream_options: { include_usage: true } })) chunks.push(chunk);
    return { whole, chunks };
  }, REQUEST);
  for (const { index, message, logprobs, finish_reason } of whole.choices) {
    const own = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.index === index);
    expect(own[0]!.delta).toEqual({ role: 'assistant', content: '' });
    expect(own.map(({ delta }) => delta.content ?? '').join('')).toBe(message.content);
    expect(own.flatMap((choice) => choice.logprobs?.content ?? [])).toEqual(logprobs!.content);
    expect(own.map((choice) => choice.finish_reason).filter(Boolean)).toEqual([finish_reason]);
    expect(own.at(-1)!.finish_reason).toBe(finish_reason);
  }
  // They come side by side, not one after the other.
  const order = chunks.flatMap(({ choices }) => choices).filter(({ delta }) => delta.content).map(({ index }) => index);
  expect(order.indexOf(3)).toBeLessThan(order.lastIndexOf(0));
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: whole.usage.prompt_tokens, completion_tokens: whole.usage.completion_tokens } });
});

test('stopping ends all replies, and what is asked next is answered', async ({ page }) => {
  const found = await page.evaluate(async (request) => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'wasm' });
    const code = (error: unknown) => (error instanceof window.HalaWeb.HalaError ? error.code : String(error));
    const { completions } = hala.chat;
    const endless = { ...request, n: 3, max_tokens: 4000, logit_bias: { 7: -100 } };
    const stop = new AbortController();
    const seen = new Set<number>();
    const read = async () => {
      for await (const { choices } of await completions.create({ ...endless, stream: true, signal: stop.signal })) {
        for (const { index, delta } of choices) if (delta.content) seen.add(index);
        if (seen.size === 3) stop.abort();
      }
      return 'ended';
    };
    const stopped = await read().catch(code);
    for await (const { choices } of await completions.create({ ...endless, stream: true })) if (choices[0]?.delta.content) break;
    const early = new AbortController();
    const whole = completions.create({ ...endless, signal: early.signal }).catch(code);
    early.abort();
    return { stopped, early: await whole, after: (await hala.translate({ text: 'صباح الخير' })).text };
  }, REQUEST);
  expect(found).toEqual({ stopped: 'aborted', early: 'aborted', after: 'Good morning.' });
});

test('replies go on after the device was lost', async ({ page }) => {
  const { before, after, events } = await page.evaluate(async ({ messages }) => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'webgpu' });
    const events: string[] = [];
    for (const type of ['devicelost', 'backendchange'] as const) hala.addEventListener(type, () => events.push(type));
    // Without the token that ends them, so that some is left when the device is lost.
    const request = { messages, temperature: 0, n: 2, stream: true, max_tokens: 8, logit_bias: { 7: -100 } } as const;
    const read = async (onPiece: (n: number) => void) => {
      const texts = ['', ''];
      let n = 0;
      for await (const { choices } of await hala.chat.completions.create(request)) {
        for (const { index, delta } of choices) if (delta.content) (texts[index] += delta.content), onPiece(++n);
      }
      return texts;
    };
    const before = await read(() => undefined);
    const after = await read((n) => { if (n === 2) void hala.simulateDeviceLoss(); });
    return { before, after, events };
  }, REQUEST);
  for (const text of before) expect(text).toMatch(/^Good morning\./);
  expect(after).toEqual(before);
  expect(events[0]).toBe('devicelost');
});

/** Sentences of several lengths, some of which are copied, and white space that must stay. */
const TEXT = Array.from({ length: 12 }, (_, i) => ['أين المحطة؟', 'شكرا لك.', 'صباح الخير يا صديقي العزيز.', 'Hello there.'][i % 4]).join(' ') + '\n\nشكرا لك.  صباح الخير.';

test('sentences at once give the text of one at a time, in its order', async ({ page }) => {
  const { one, many, pieces } = await page.evaluate(async (text) => {
    const { Hala } = window.HalaWeb;
    const pieces: string[] = [];
    const one = await (await Hala.load({ backend: 'wasm', parallel: 1 })).translate({ text });
    const hala = await Hala.load({ backend: 'wasm' });
    const first = hala.translate({ text, onText: (piece) => pieces.push(piece) });
    // A second text waits for the first, whose pieces stay whole.
    const second = hala.translate({ text });
    return { one, many: [await first, await second], pieces };
  }, TEXT);
  for (const { text, segments, usage } of many) {
    expect({ text, segments }).toEqual({ text: one.text, segments: one.segments });
    expect(usage.completion_tokens).toBe(one.usage.completion_tokens);
  }
  expect(pieces.join('')).toBe(one.text);
  const ends = one.segments.map(({ target }) => target[1]);
  expect(ends).toEqual([...ends].sort((a, b) => a - b));
  expect(one.segments.filter(({ copied }) => copied === 'target-language').map(({ target: [start, end] }) => one.text.slice(start, end))).toEqual(Array(3).fill('Hello there.'));
});

test('messages are seen to between the steps of a long translation, whose end a stop does not wait for', async ({ page }) => {
  const found = await page.evaluate(async () => {
    const hala = await window.HalaWeb.Hala.load({ backend: 'wasm' });
    const stop = new AbortController();
    const pieces: string[] = [];
    let answered: number | undefined;
    const text = 'أين المحطة؟ شكرا لك. '.repeat(200);
    const onText = (piece: string) => {
      if (pieces.push(piece) === 1) void hala.countTokens('one two').then((n) => { answered = n; stop.abort(); });
    };
    const ended = await hala.translate({ text, signal: stop.signal, onText }).then(() => 'ended', (error: Error) => error.name);
    const after = await hala.translate({ text: 'صباح الخير' });
    return { ended, answered, share: pieces.join('').length / text.length, after: after.text };
  });
  expect(found).toMatchObject({ ended: 'AbortError', after: 'Good morning.' });
  expect(found.answered).toBeGreaterThan(0);
  expect(found.share).toBeLessThan(0.5);
});
