// Addresses of models.

import { HalaError } from './errors.js';

const HUB = 'https://huggingface.co/';
const HUB_HOSTS = new Set(['huggingface.co', 'www.huggingface.co', 'hf.co']);
/** A repository as the Hub names it. A folder below the page is written with a slash or a dot: `/models/x/`, `./models/x`. */
const HUB_ID = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;
/** A page of a repository, or a file of it. */
const HUB_PAGE = /^\/([^/]+)\/([^/]+)(?:\/(?:tree|blob|resolve|raw)\/([^/]+)(?:\/.*)?)?\/?$/;

/** Whether a model is named as the Hub names repositories. */
export function isHubId(model: string | URL): boolean {
  return typeof model === 'string' && HUB_ID.test(model);
}

/** The folder that a model stands for: a branch of a repository of the Hub, by its name or any of its pages, or the folder at an address. Throws a {@link HalaError} where it is no address. */
export function folderOf(model: string | URL): URL {
  const url = isHubId(model) ? new URL(model, HUB) : absolute(model);
  const page = HUB_HOSTS.has(url.hostname) && url.pathname.match(HUB_PAGE);
  if (page) return new URL(`/${page[1]}/${page[2]}/resolve/${page[3] ?? 'main'}/`, HUB);
  const folder = new URL(url);
  folder.hash = '';
  return new URL(folder.href.endsWith('/') ? folder.href : `${folder.href}/`);
}

/** An address as it is from here: a page's own base, or a worker's address. */
export function absolute(address: string | URL): URL {
  try {
    return new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (cause) {
    const advice = 'give OWNER/NAME as on the Hub, an address such as https://example.org/model/, or a path such as /models/x/';
    throw new HalaError('invalid-request', `“${address}” is no address of a model: ${advice}`, { name: String(address) }, { cause });
  }
}
