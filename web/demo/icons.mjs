// Draws the icons that browsers ask for as PNG from public/icon.svg, by Chromium: node icons.mjs [path of Chromium]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const chromium = process.argv[2] ?? 'chromium';
const file = (name) => fileURLToPath(new URL(`public/${name}`, import.meta.url));
const svg = readFileSync(file('icon.svg'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'icons-'));

/** A maskable icon fills its square, and keeps what matters in the middle. */
function draw(name, size, isMaskable) {
  const style = `body{margin:0;background:${isMaskable ? '#0d5c57' : 'transparent'};display:grid;place-items:center;width:${size}px;height:${size}px}svg{width:${isMaskable ? 76 : 100}%}`;
  const page = join(folder, 'icon.html');
  writeFileSync(page, `<!doctype html><style>${style}</style>${svg}`);
  const flags = ['--headless', '--no-sandbox', '--hide-scrollbars', '--default-background-color=00000000', `--window-size=${size},${size}`];
  execFileSync(chromium, [...flags, `--screenshot=${file(name)}`, page], { stdio: 'ignore' });
}

draw('icon-192.png', 192, false);
draw('icon-512.png', 512, false);
draw('icon-maskable-512.png', 512, true);
rmSync(folder, { recursive: true });
