// What people write to name a model: an address, or OWNER/NAME as on the Hub.

import { folderOf } from 'hala-web';

/** The model that is meant, as the package takes it; undefined where it is no address yet. */
export function addressOf(written: string): string | undefined {
  const isName = /^[\w.-]+\/[\w.-]+$/.test(written);
  if (!isName && !/^https?:\/\/[^/]/.test(written)) return undefined;
  return URL.canParse(folderOf(written).href) ? written : undefined;
}

/** A model's name by its folder: the repository's, without branch. */
export function nameOf(address: string): string {
  const parts = address.replace(/\/(?:resolve|tree|blob)\/.*$/, '').split('/').filter((part) => part !== '');
  return parts.at(-1) ?? address;
}
