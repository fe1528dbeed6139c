// Markdown as safe elements: made by marked, cleaned by DOMPurify, each block in its own direction.

import DOMPurify from 'dompurify';
import { directionOf } from 'hala-web';
import { lexer, parser, type Token } from 'marked';

/** Blocks that have a direction of their own, where their prose has one. Lists and tables follow the message, and items their list. */
const BLOCKS = 'p, h1, h2, h3, h4, h5, h6, td, th';

/** These would be fetched from the network, which nothing here may do, or are no text. */
const FORBIDDEN = ['img', 'picture', 'video', 'audio', 'source', 'svg', 'math', 'style', 'form', 'input', 'button', 'iframe', 'link'];
const FORBIDDEN_ATTRIBUTES = ['style', 'class', 'id', 'background', 'dir', 'srcset'];

/** The top blocks of a text, as it was written. */
export function blocksOf(text: string): string[] {
  return lexer(text).map((token: Token) => token.raw);
}

/**
 * The blocks of a text that begins with another one, of which the blocks are known: only what follows its last but one block is looked
 * at, so that a long reply costs no more for each token than a short one.
 */
export function blocksOfLonger(text: string, before: { text: string; blocks: readonly string[] }): readonly string[] {
  if (text === before.text) return before.blocks;
  const settled = text.startsWith(before.text) ? before.blocks.slice(0, -2) : [];
  const at = settled.reduce((sum, block) => sum + block.length, 0);
  // What marked writes otherwise than it was (line ends, tabs) cannot be cut by lengths.
  if (before.text.slice(0, at) !== settled.join('')) return blocksOf(text);
  return [...settled, ...blocksOf(text.slice(at))];
}

/** A block's elements. */
export function renderBlock(raw: string): DocumentFragment {
  const page = new DOMParser().parseFromString(parser(lexer(raw)), 'text/html');
  // Here nothing is fetched yet.
  for (const image of page.querySelectorAll('img')) image.replaceWith(...inWords(image));
  const fragment = DOMPurify.sanitize(page.body, { RETURN_DOM_FRAGMENT: true, FORBID_TAGS: FORBIDDEN, FORBID_ATTR: FORBIDDEN_ATTRIBUTES });
  for (const link of fragment.querySelectorAll('a')) Object.assign(link, { target: '_blank', rel: 'noopener noreferrer' });
  for (const block of fragment.querySelectorAll<HTMLElement>(BLOCKS)) {
    const direction = directionOf(proseIn(block));
    if (direction) block.dir = direction;
  }
  for (const code of fragment.querySelectorAll<HTMLElement>('code, pre')) code.dir = 'ltr';
  for (const wide of fragment.querySelectorAll<HTMLElement>('pre, table')) inFrame(wide);
  return fragment;
}

/** What an image says, and its address as a link. */
function inWords(image: HTMLImageElement): (Node | string)[] {
  const address = image.getAttribute('src') ?? '';
  if (!/^https?:/i.test(address)) return [image.alt];
  const link = Object.assign(document.createElement('a'), { href: address, textContent: address });
  return image.alt ? [image.alt, ' ', link] : [link];
}

/** The text of a block without its code. */
function proseIn(block: HTMLElement): string {
  const copy = block.cloneNode(true) as HTMLElement;
  for (const code of copy.querySelectorAll('code, kbd, samp')) code.remove();
  return copy.textContent ?? '';
}

/** What is wider than the message scrolls within a frame, by keys too. */
function inFrame(wide: HTMLElement): void {
  const frame = Object.assign(document.createElement('div'), { className: 'wide', tabIndex: 0 });
  wide.replaceWith(frame);
  frame.append(wide);
}
