// Bundles the package into dist/: the page's part, the worker with the module's JavaScript, the module, the model.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const MODEL = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

rmSync(here('dist'), { recursive: true, force: true });
mkdirSync(here('dist/model'), { recursive: true });
await build({
  entryPoints: [here('src/index.ts'), here('src/worker.ts')],
  outdir: here('dist'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  sourcemap: false,
  legalComments: 'none',
  define: { VERSION: JSON.stringify(JSON.parse(readFileSync(here('package.json'), 'utf8')).version) },
});
cpSync(here('wasm/hala_wasm_bg.wasm'), here('dist/hala_wasm_bg.wasm'));
for (const name of MODEL) cpSync(here(`../../crates/demo-model/files/${name}`), here(`dist/model/${name}`));
execFileSync('npx', ['tsc', '--emitDeclarationOnly'], { stdio: 'inherit', cwd: here('.') });
