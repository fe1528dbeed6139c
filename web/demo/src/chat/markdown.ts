// Markdown as safe elements: made by marked, cleaned by DOMPurify, each block in its own direction.

import DOMPurify from 'dompurify';
import { directionOf } from 'hala-web';
import { lexer, parser, type Token, type Tokens } from 'marked';

/** Blocks that have a direction of their own, where their prose has one. Lists and tables follow the message, and items their list. */
const BLOCKS = 'p, h1, h2, h3, h4, h5, h6, td, th';

/** These would be fetched from the network, which nothing here may do, or are no text. */
const FORBIDDEN = ['img', 'picture', 'video', 'audio', 'source', 'svg', 'math', 'style', 'form', 'input', 'button', 'iframe', 'link', 'template'];
const FORBIDDEN_ATTRIBUTES = ['style', 'class', 'id', 'background', 'dir', 'srcset'];

/** A block at the top of a text. */
export interface MarkdownBlock {
  raw: string;
  /** Where in it the last item of a list of several begins: what comes before stays as it is, however long the list becomes. */
  lastItem: number | undefined;
  /** Whether it is code whose end has not come. */
  isOpenCode: boolean;
}

/** The top blocks of a text, as it was written. */
export function blocksOf(text: string): MarkdownBlock[] {
  return lexer(text).map((token: Token) => ({ raw: token.raw, lastItem: lastItemOf(token), isOpenCode: isOpenCode(token) }));
}

function lastItemOf(token: Token): number | undefined {
  if (token.type !== 'list') return undefined;
  const { raw, items } = token as Tokens.List;
  return items.length > 1 ? raw.length - items.at(-1)!.raw.length : undefined;
}

/** Lines that begin as the end of code does. */
export const CODE_END = /^ {0,3}(`{3}|~{3})/m;

function isOpenCode({ type, raw }: Token): boolean {
  const [first, ...lines] = raw.split('\n');
  return type === 'code' && CODE_END.test(first!) && !CODE_END.test(lines.join('\n'));
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
