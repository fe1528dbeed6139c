// Runs a test program for wasm32-wasip1: `node tests/wasi.mjs PROGRAM.wasm [ARGUMENT]…`.
import { readFile } from 'node:fs/promises';
import { argv } from 'node:process';
import { WASI } from 'node:wasi';

const [, , file, ...args] = argv;
const wasi = new WASI({ version: 'preview1', args: [file, ...args] });
const module = await WebAssembly.compile(await readFile(file));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
