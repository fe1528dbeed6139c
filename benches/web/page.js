// The page that speed.mjs opens: fetches its task, runs one prompt and its reply, and tells the figures.

/** Hala: one prompt and its reply, or so many of them, in tokens a second. */
async function hala({ backend, threads, text, generate, n }) {
  const { Hala } = await import('/hala/index.js');
  const started = performance.now();
  const hala = await Hala.load({ model: '/model/', backend, threads, weights: 'int8', cache: false, context: 1024 });
  const load_s = (performance.now() - started) / 1000;
  const request = { messages: [{ role: 'user', content: text }], temperature: 0, max_tokens: generate, n, logit_bias: { 7: -100 } };
  await hala.chat.completions.create({ ...request, messages: [{ role: 'user', content: 'x' }], max_tokens: 2 });
  const begun = performance.now();
  const { usage, timings } = await hala.chat.completions.create(request);
  const seconds = (performance.now() - begun) / 1000;
  // Kept, so that its memory is there to be measured.
  window.hala = hala;
  const { wasmBytes, threads: n_threads } = await hala.refresh();
  return {
    load_s, seconds, n_prompt: usage.prompt_tokens - usage.prompt_tokens_details.cached_tokens, n_threads,
    prefill: timings.prompt_per_second, decode: timings.predicted_per_second, wasm_mb: Math.round(wasmBytes / 1e6),
  };
}

/** Hala: so many sentences translated, several of them at once. */
async function sentences({ backend, threads, parallel, n }) {
  const { Hala } = await import('/hala/index.js');
  const started = performance.now();
  const hala = await Hala.load({ model: '/model/', backend, threads, parallel, weights: 'int8', cache: false, context: 1024 });
  const load_s = (performance.now() - started) / 1000;
  const words = ['the', 'cat', 'sat', 'on', 'a', 'mat', 'and', 'then', 'ran', 'home'];
  // Of 4 to 16 words, so that some end long before others.
  const sentence = (i) => Array.from({ length: 4 + ((i * 5) % 13) }, (_, j) => words[(i + 3 * j) % words.length]).join(' ');
  const text = Array.from({ length: n }, (_, i) => `${sentence(i)[0].toUpperCase()}${sentence(i).slice(1)}.`).join(' ');
  await hala.translate({ text: 'Good morning.', to: 'ar' });
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  let first_s;
  const { usage, timings, segments } = await hala.translate({ text, to: 'ar', onText: () => { first_s ??= seconds(); } });
  const figures = { seconds: seconds(), first_s, n_segments: segments.length, n_looped: segments.filter(({ looped }) => looped).length };
  window.hala = hala;
  const { wasmBytes, threads: n_threads } = await hala.refresh();
  const tokens_s = usage.completion_tokens / figures.seconds;
  const { prompt_ms, predicted_ms } = timings;
  return { load_s, ...figures, tokens_s, prompt_ms, predicted_ms, n_prompt: usage.prompt_tokens, n_tokens: usage.completion_tokens, n_threads, wasm_mb: Math.round(wasmBytes / 1e6) };
}

/** The same of wllama, on the CPU. */
async function wllama({ threads, text, generate }) {
  const { Wllama, LoggerWithoutDebug } = await import('/wllama/esm/index.js');
  const wllama = new Wllama({ default: '/wllama/esm/wasm/wllama.wasm' }, { logger: LoggerWithoutDebug });
  const started = performance.now();
  const options = { n_gpu_layers: 0, n_ctx: 1024, n_threads: threads, useCache: false };
  await wllama.loadModelFromUrl(`${location.origin}/gguf/model.gguf`, options);
  const load_s = (performance.now() - started) / 1000;
  let last;
  const completion = { prompt: text, max_tokens: generate, stream: true, temperature: 0, ignore_eos: true, cache_prompt: false };
  for await (const chunk of await wllama.createCompletion(completion)) last = chunk;
  window.wllama = wllama;
  const { prompt_n, prompt_per_second, predicted_per_second } = last.timings;
  return { load_s, n_prompt: prompt_n, n_threads: threads, prefill: prompt_per_second, decode: predicted_per_second };
}

const { engine, ...task } = await (await fetch('/task')).json();
const figures = await { hala, sentences, wllama }[engine](task).catch((error) => ({ error: String(error?.stack ?? error) }));
await fetch('/figures', { method: 'POST', body: JSON.stringify(figures) });
