// Markdown as safe elements: made by marked, cleaned by DOMPurify, each block in its own direction.

import DOMPurify from 'dompurify';
import { lexer, parser, type Token } from 'marked';
import { directionOf } from '../text/direction.js';

/** Blocks that have a direction of their own. */
const BLOCKS = 'p, li, h1, h2, h3, h4, h5, h6, blockquote, td, th';

/** Images and the like would be fetched from the network, which nothing here may do. */
const FORBIDDEN = ['img', 'picture', 'video', 'audio', 'source', 'svg', 'math', 'style', 'form', 'input', 'button', 'iframe', 'link'];

/** The top blocks of a text, as it was written: the finished ones stay the same while more is added. */
export function blocksOf(text: string): string[] {
  return lexer(text).map((token: Token) => token.raw);
}

/** A block's elements. */
export function renderBlock(raw: string): DocumentFragment {
  const html = parser(lexer(raw));
  const fragment = DOMPurify.sanitize(html, { RETURN_DOM_FRAGMENT: true, FORBID_TAGS: FORBIDDEN, FORBID_ATTR: ['style', 'class', 'id'] });
  for (const block of fragment.querySelectorAll<HTMLElement>(BLOCKS)) block.dir = directionOf(block.textContent ?? '') ?? 'auto';
  for (const list of fragment.querySelectorAll<HTMLElement>('ul, ol, table')) list.dir = directionOf(list.textContent ?? '') ?? 'auto';
  for (const code of fragment.querySelectorAll<HTMLElement>('code, pre')) code.dir = 'ltr';
  for (const link of fragment.querySelectorAll('a')) Object.assign(link, { target: '_blank', rel: 'noopener noreferrer' });
  return fragment;
}
