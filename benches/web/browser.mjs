// A Chromium of its own for each measurement, with no tool attached to it: Chromium keeps what pages fetch for tools that look on, hundreds of
// megabytes of it.

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Opens an address, and gives what `measure` makes of the browser's process; an error where that ends before. `stdio` are its further pipes.
 */
export async function inBrowser(address, options, measure, stdio = []) {
  const profile = mkdtempSync(join(tmpdir(), 'hala-bench-'));
  const args = ['--headless', '--no-sandbox', '--no-first-run', ...options, `--user-data-dir=${profile}`, address];
  const browser = spawn(process.env.HALA_CHROMIUM ?? '/usr/bin/chromium', args, { stdio: ['ignore', 'ignore', 'ignore', ...stdio] });
  const ended = new Promise((resolve) => browser.once('exit', resolve));
  const early = ended.then((code) => Promise.reject(new Error(`the browser ended with code ${code}`)));
  try {
    return await Promise.race([measure(browser), early]);
  } finally {
    early.catch(() => undefined);
    browser.kill();
    await ended;
    // Processes that are still ending may write once more; a temporary folder that stays does no harm.
    await rm(profile, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }
}
