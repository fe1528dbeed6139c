// A tiny LFM3 in a page: what it says is what the command says, on the CPU and on WebGPU.

import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { open } from './open.ts';

const read = (name: string) => readFileSync(new URL(`../fixtures/lfm3-page/${name}`, import.meta.url));

for (const backend of ['wasm', 'webgpu'] as const) {
  test(`an LFM3 says on ${backend} what it says at the command line`, async ({ page }) => {
    await open(page);
    const own = ['config.json', 'model.safetensors'].map((name) => ({ name, base64: read(name).toString('base64') }));
    const said = await page.evaluate(async ({ own, backend }) => {
      const file = async (name: string, address: string) => new File([await (await fetch(address)).blob()], name);
      const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const files = [
        ...own.map(({ name, base64 }) => new File([bytes(base64)], name)),
        ...(await Promise.all(['tokenizer.json', 'tokenizer_config.json'].map((name) => file(name, `/dist/model/${name}`)))),
      ];
      const hala = await window.HalaWeb.Hala.load({ model: files, backend, weights: 'f32' });
      const request = { messages: [{ role: 'user', content: 'صباح الخير' }], temperature: 0, max_tokens: 24 } as const;
      const { choices: [{ message }] } = await hala.chat.completions.create(request);
      return { family: hala.info.model.family, backend: hala.info.backend, text: message.content };
    }, { own, backend });
    expect(said).toEqual({ family: 'lfm3', backend, text: read('said.txt').toString().trimEnd() });
  });
}
