// The shapes that browsers have of their own: Translator, LanguageDetector, LanguageModel, and how they are put in place.

import { expect, test } from '@playwright/test';
import { open } from './open.ts';

const PROMPT = 'Translate everything that follows into English:\n\nصباح الخير';

test.beforeEach(({ page }) => open(page));

test('a translator tells whether it is there, how far it is, and translates', async ({ page }) => {
  const found = await page.evaluate(async () => {
    const { Translator } = window.HalaWeb;
    const languages = { sourceLanguage: 'ar-EG', targetLanguage: 'en' };
    const before = await Translator.availability(languages);
    const other = await Translator.availability({ sourceLanguage: 'fr', targetLanguage: 'en' });
    const progress: number[] = [];
    const creating = Translator.create({
      ...languages, monitor: (monitor) => monitor.addEventListener('downloadprogress', (event) => progress.push((event as ProgressEvent).loaded)),
    });
    const during = await Translator.availability(languages);
    const translator = await creating;
    let streamed = '';
    const stream = translator.translateStreaming('شكرا لك. أين المحطة؟') as ReadableStream<string> & AsyncIterable<string>;
    let n_pieces = 0;
    for await (const piece of stream) {
      streamed += piece;
      n_pieces += 1;
    }
    return {
      states: [before, during, await Translator.availability(languages), other], progress, n_pieces, streamed,
      whole: await translator.translate('صباح الخير'), usage: await translator.measureInputUsage('صباح الخير'),
      languages: [translator.sourceLanguage, translator.targetLanguage],
    };
  });
  expect(found.states).toEqual(['downloadable', 'downloading', 'available', 'unavailable']);
  expect([found.progress[0], found.progress.at(-1)]).toEqual([0, 1]);
  expect(found.whole).toBe('Good morning.');
  expect(found.streamed).toMatch(/^Thank you\. Where.s the station\?$/);
  expect(found.n_pieces).toBeGreaterThan(2);
  expect(found.usage).toBeGreaterThan(0);
  expect(found.languages).toEqual(['ar-EG', 'en']);
});

test('what the standard calls for is thrown', async ({ page }) => {
  const names = await page.evaluate(async () => {
    const { LanguageModel, Translator } = window.HalaWeb;
    const name = (error: unknown) => (error instanceof DOMException ? error.name : String(error));
    const languages = { sourceLanguage: 'en', targetLanguage: 'ar' };
    const translator = await Translator.create(languages);
    const stop = new AbortController();
    const stopped = translator.translate('Where is the station? '.repeat(50), { signal: stop.signal });
    const reason = await translator.translate('x', { signal: AbortSignal.abort(new DOMException('mine', 'TimeoutError')) }).catch(name);
    stop.abort();
    const first = await stopped.catch(name);
    const under = translator.translate('Where is the station? '.repeat(50));
    translator.destroy();
    return [
      first, reason, await under.catch(name), await translator.translate('x').catch(name),
      await Translator.create({ sourceLanguage: 'fr', targetLanguage: 'en' }).catch(name),
      await LanguageModel.create().catch(name),
      await Translator.create({ ...languages, signal: AbortSignal.abort() }).catch(name),
    ];
  });
  expect(names).toEqual(['AbortError', 'TimeoutError', 'InvalidStateError', 'InvalidStateError', 'NotSupportedError', 'NotSupportedError', 'AbortError']);
});

test('a language model answers, remembers, forgets the oldest, and is cloned', async ({ page }) => {
  const found = await page.evaluate(async (prompt) => {
    const { LanguageModel, polyfill } = window.HalaWeb;
    for (const shape of ['Translator', 'LanguageDetector', 'LanguageModel']) Reflect.deleteProperty(globalThis, shape);
    const installed = polyfill({ model: '/dist/model/', backend: 'wasm', cache: false, context: 256 });
    const session = await LanguageModel.create({ temperature: 0 });
    const first = await session.prompt(prompt);
    const used = session.contextUsage;
    const twin = await session.clone();
    let overflows = 0;
    session.addEventListener('contextoverflow', () => { overflows += 1; });
    await session.append([{ role: 'user', content: 'شكرا لك '.repeat(20) }, { role: 'assistant', content: [{ type: 'text', value: 'Thank you.' }] }]);
    for (let i = 0; i < 8 && overflows === 0; i++) await session.append([{ role: 'user', content: 'شكرا لك '.repeat(20) }, { role: 'assistant', content: 'Thank you.' }]);
    const name = (error: unknown) => (error instanceof DOMException ? error.name : String(error));
    return {
      installed, again: polyfill(), first, used, window: session.contextWindow, twin: twin.contextUsage, overflows, held: session.contextUsage,
      tooLong: await session.prompt('كلمة '.repeat(500)).catch(name),
      image: await session.prompt([{ role: 'user', content: [{ type: 'image', value: '' }] }]).catch(name),
      states: [await LanguageModel.availability(), await LanguageModel.availability({ expectedInputs: [{ type: 'audio' }] })],
      isGlobal: 'LanguageModel' in globalThis,
    };
  }, PROMPT);
  expect(found.first).toBe('Good morning.');
  expect(found).toMatchObject({ window: 256, twin: found.used, overflows: 1, tooLong: 'QuotaExceededError', image: 'NotSupportedError', isGlobal: true });
  expect(found.used).toBeGreaterThan(10);
  expect(found.held).toBeLessThan(256);
  expect(found.states).toEqual(['available', 'unavailable']);
  expect(found.installed).toEqual(['Translator', 'LanguageDetector', 'LanguageModel']);
  expect(found.again).toEqual([]);
});

test('languages are told by their letters, others as undetermined', async ({ page }) => {
  const detect = (text: string) => page.evaluate(async (text) => {
    const detector = await window.HalaWeb.LanguageDetector.create();
    return detector.detect(text);
  }, text);
  const likeliest = async (text: string) => (await detect(text)).reduce((a, b) => (b.confidence > a.confidence ? b : a)).detectedLanguage;
  expect(await likeliest('صباح الخير يا صديقي')).toBe('ar');
  expect(await likeliest('Where is the station?')).toBe('en');
  expect(await likeliest('این کتاب را چه کسی نوشته است')).toBe('und');
  expect(await likeliest('Где находится станция')).toBe('und');
  expect(await likeliest('Où est la gare, s’il vous plaît ?')).toBe('und');
  expect(await likeliest('12345 !')).toBe('und');
  const all = await detect('Hello أهلا');
  expect(all.reduce((sum, { confidence }) => sum + confidence, 0)).toBeCloseTo(1);
});

test('a signal that is given to create ends what was made, whenever it comes', async ({ page }) => {
  const names = await page.evaluate(async () => {
    const { LanguageDetector, Translator } = window.HalaWeb;
    const name = (error: unknown) => (error as Error).name;
    const stop = new AbortController();
    const translator = await Translator.create({ sourceLanguage: 'ar', targetLanguage: 'en', signal: stop.signal });
    const detector = await LanguageDetector.create({ signal: stop.signal });
    const long = translator.translate('أين المحطة؟ شكرا لك. '.repeat(100)).catch(name);
    stop.abort();
    return [await long, await translator.translate('شكرا لك.').catch(name), await detector.detect('x').catch(name)];
  });
  expect(names).toEqual(['AbortError', 'AbortError', 'AbortError']);
});

test('what is no text is made text, and an argument that is not there is missed, as WebIDL has it', async ({ page }) => {
  const found = await page.evaluate(async () => {
    const { LanguageDetector, Translator } = window.HalaWeb;
    const translator = await Translator.create({ sourceLanguage: 'en', targetLanguage: 'ar' });
    const detector = await LanguageDetector.create();
    const name = (error: unknown) => (error as Error).name;
    const translate = translator.translate.bind(translator) as (...args: unknown[]) => Promise<string>;
    return [await translate(42), await translate().catch(name), (await (detector.detect.bind(detector) as (input: unknown) => ReturnType<typeof detector.detect>)(null))[0]!.confidence > 0];
  });
  expect(found).toEqual(['42', 'TypeError', true]);
});

test('polyfill takes the place of a browser\'s own shapes only where it is told to', async ({ page }) => {
  const found = await page.evaluate(() => {
    const { polyfill, Translator } = window.HalaWeb;
    const own = class {};
    for (const name of ['Translator', 'LanguageDetector']) Object.defineProperty(globalThis, name, { value: own, writable: true, configurable: true });
    const kept = polyfill();
    const isKept = (globalThis as { Translator?: unknown }).Translator === own;
    const taken = polyfill({ force: true });
    return { kept, isKept, taken, isOurs: (globalThis as { Translator?: unknown }).Translator === Translator };
  });
  expect(found).toEqual({ kept: [], isKept: true, taken: ['Translator', 'LanguageDetector'], isOurs: true });
});
