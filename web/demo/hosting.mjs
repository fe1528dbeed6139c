// What the demo's files are served with: headers, and the licences of all that it is made of.

import { readFileSync } from 'node:fs';
import { licences } from '../package/licences.mjs';

/** Headers that every file is to be sent with; `public/_headers` has them for hosts that read such a file. */
export const headers = Object.fromEntries(
  readFileSync(new URL('public/_headers', import.meta.url), 'utf8').split('\n').filter((line) => /^ {2}[\w-]+: /.test(line)).map((line) => {
    const [name = '', ...value] = line.trim().split(': ');
    return [name, value.join(': ')];
  }),
);

/** Licences and notices of all that the page is made of, beside it. */
export const notices = {
  name: 'notices',
  apply: 'build',
  generateBundle() {
    const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
    const libraries = [...Object.keys(dependencies).filter((name) => name !== 'hala-web'), '@noble/hashes', 'workbox-window'];
    for (const [name, source] of Object.entries(licences(libraries))) this.emitFile({ type: 'asset', fileName: `licences/${name}`, source });
  },
};
