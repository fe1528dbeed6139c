// What the package is made of and under which licences: the crates in its module, the libraries in its JavaScript, the built-in model.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** This project's licence, the model's card and everybody else's notices, by the names of their files; `libraries` are those that are bundled. */
export function licences(libraries) {
  return {
    'LICENSE.txt': readFileSync(here('../../LICENSE'), 'utf8'),
    'demo-ar-en.md': readFileSync(here('../../crates/demo-model/files/README.md'), 'utf8'),
    'NOTICES.txt': notices([...cratesOf('hala-wasm'), ...libraries.map(libraryAt)]),
  };
}

/** The crates of others that a crate of this workspace is built with for browsers. */
function cratesOf(name) {
  const words = ['metadata', '--format-version', '1', '--filter-platform', 'wasm32-unknown-unknown', '--quiet'];
  const { packages, resolve } = JSON.parse(execFileSync('cargo', words, { cwd: here('.'), maxBuffer: 1e9, encoding: 'utf8' }));
  const byId = new Map(packages.map((entry) => [entry.id, entry]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const seen = new Set();
  const visit = (id) => {
    if (seen.has(id)) return;
    seen.add(id);
    // What only builds or tests is not in the module.
    for (const { pkg, dep_kinds } of nodes.get(id).deps) if (dep_kinds.some(({ kind }) => kind === null)) visit(pkg);
  };
  visit(packages.find((entry) => entry.name === name && entry.source === null).id);
  const others = [...seen].map((id) => byId.get(id)).filter(({ source }) => source !== null);
  return others.map(({ name, version, license, manifest_path }) => ({ name: `${name} ${version}`, licence: license, texts: textsIn(dirname(manifest_path)) }));
}

/** A library of the npm registry, wherever npm has put it. */
function libraryAt(name) {
  const folder = [here(`../node_modules/${name}`), here(`node_modules/${name}`), here(`../demo/node_modules/${name}`)].find(existsSync);
  if (!folder) throw new Error(`${name} is not installed: run npm ci in web/`);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { name: `${name} ${version}`, licence: license, texts: textsIn(folder) };
}

function textsIn(folder) {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice|unlicense)/i.test(entry.name));
  return names.map((entry) => readFileSync(join(folder, entry.name), 'utf8').replace(/\r\n/g, '\n').trim());
}

/** One text for all: each licence once, behind the names of what it covers. */
function notices(parts) {
  const byText = new Map();
  for (const { name, texts } of parts) for (const text of texts) byText.set(text, [...(byText.get(text) ?? []), name]);
  const list = parts.map(({ name, licence }) => `${name}: ${licence}`).sort();
  const sections = [...byText].map(([text, names]) => `${'='.repeat(80)}\n${[...new Set(names)].sort().join(', ')}\n${'='.repeat(80)}\n\n${text}\n`);
  return `What is in this package beside its own code, and the Rust standard library (MIT or Apache-2.0).\n\n${list.join('\n')}\n\n${sections.join('\n')}`;
}
