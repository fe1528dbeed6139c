// Bundles the package into dist/: the page's part, the worker with the modules' JavaScript, the modules that were built, the model.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licences } from './licences.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const modelFile = (name) => here(`../../crates/demo-model/files/${name}`);
/** Files of the built-in model: those that are put into the worker, and those that lie beside it. */
const SMALL = ['config.json', 'generation_config.json', 'tokenizer_config.json'];
const LARGE = ['model.safetensors', 'tokenizer.json'];
const moduleFile = (name) => here(`wasm/${name}/${name}_bg.wasm`);
/** The module for several threads may be left out. */
const MODULES = ['hala_wasm', 'hala_wasm_threads'].filter((name) => name === 'hala_wasm' || existsSync(moduleFile(name)));
/** Then what would start it says so. */
const oneThread = {
  name: 'one-thread',
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/threads\.js$/ }, () => ({ path: here('src/one-thread.ts') })),
};

rmSync(here('dist'), { recursive: true, force: true });
for (const folder of ['model', 'licences']) mkdirSync(here(`dist/${folder}`), { recursive: true });
await build({
  entryPoints: [here('src/index.ts'), here('src/worker.ts')],
  outdir: here('dist'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  sourcemap: false,
  legalComments: 'none',
  plugins: MODULES.includes('hala_wasm_threads') ? [] : [oneThread],
  define: {
    VERSION: JSON.stringify(JSON.parse(readFileSync(here('package.json'), 'utf8')).version),
    BUILT_IN: JSON.stringify(Object.fromEntries(SMALL.map((name) => [name, readFileSync(modelFile(name), 'utf8')]))),
  },
});
for (const name of MODULES) cpSync(moduleFile(name), here(`dist/${name}_bg.wasm`));
for (const name of LARGE) cpSync(modelFile(name), here(`dist/model/${name}`));
for (const [name, text] of Object.entries(licences(['@noble/hashes']))) writeFileSync(here(`dist/licences/${name}`), text);
execFileSync('npx', ['tsc', '--project', 'tsconfig.build.json', '--emitDeclarationOnly'], { stdio: 'inherit', cwd: here('.') });
