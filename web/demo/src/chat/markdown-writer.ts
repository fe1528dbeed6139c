// Writes a text in Markdown that grows: what is finished stays as it is, and of what is not, only the end is looked at again.

import { appendText } from '../text/sentence-text.js';
import { Steps } from '../ui/steps.js';
import { blocksOf, CODE_END, renderBlock, type MarkdownBlock } from './markdown.js';

/** Characters that one step adds at most. */
const CHARACTERS_A_STEP = 1500;

interface Written extends MarkdownBlock {
  element: HTMLElement;
  /** Where in the text it begins. */
  start: number;
}

/** Writes into an element, which is this object's alone. */
export class MarkdownWriter {
  #text = '';
  #n_shown = 0;
  #isFinished = false;
  readonly #blocks: Written[] = [];
  /** Blocks that were written by additions: once they are finished they are made as a whole. */
  readonly #patched = new Set<Written>();
  readonly #steps = new Steps(() => this.#step());

  constructor(readonly host: HTMLElement) {}

  /** Shows a text; where it begins with the one that is shown, the rest is added. */
  show(text: string): void {
    const plain = text.replace(/\r\n?/g, '\n');
    if (!plain.startsWith(this.#text)) this.#clear();
    this.#text = plain;
    this.#isFinished = false;
    this.#steps.run();
  }

  /** Nothing more is to come. */
  finish(): void {
    this.#isFinished = true;
    if (this.#n_shown === this.#text.length) this.#settle(0);
  }

  /** Leaves the element as it is. */
  stop(): void {
    this.#steps.stop();
  }

  #clear(): void {
    this.stop();
    this.host.replaceChildren();
    this.#blocks.length = 0;
    this.#patched.clear();
    this.#n_shown = 0;
  }

  #step(): boolean {
    if (this.#n_shown === this.#text.length) return false;
    const before = this.#n_shown;
    this.#n_shown = Math.min(this.#text.length, before + CHARACTERS_A_STEP);
    if (!this.#growCode(before) && !this.#growList()) this.#write(this.#blocks.slice(-2), this.#blocks.at(-2)?.start ?? this.#blocks.at(-1)?.start ?? 0);
    const isDone = this.#n_shown === this.#text.length;
    this.#settle(isDone && this.#isFinished ? 0 : 2);
    return !isDone;
  }

  /** Adds to code whose end has not come; false where it may have come. */
  #growCode(from: number): boolean {
    const last = this.#blocks.at(-1);
    const code = last?.element.querySelector('code');
    if (!last?.isOpenCode || !code) return false;
    const lineStart = this.#text.lastIndexOf('\n', from - 1) + 1;
    if (lineStart <= last.start || CODE_END.test(this.#text.slice(lineStart, this.#n_shown))) return false;
    // What is made as a whole ends with a break, whatever the text does.
    if (!this.#patched.has(last)) code.textContent = last.raw.slice(last.raw.indexOf('\n') + 1);
    appendText(code, this.#text.slice(from, this.#n_shown));
    last.raw = this.#text.slice(last.start, this.#n_shown);
    this.#patched.add(last);
    return true;
  }

  /** Makes the last item of a list again, and what follows it; false where there is none. */
  #growList(): boolean {
    const at = this.#blocks.findLastIndex(({ raw }) => raw.trim() !== '');
    const list = this.#blocks[at];
    const shown = list?.element.firstElementChild;
    if (list?.lastItem === undefined || at < this.#blocks.length - 2 || !shown) return false;
    const from = list.start + list.lastItem;
    const [items, ...rest] = blocksOf(this.#text.slice(from, this.#n_shown));
    const made = items && renderBlock(items.raw).firstElementChild;
    if (made?.tagName !== shown.tagName) return false;
    shown.lastElementChild?.remove();
    shown.append(...made.children);
    const raw = this.#text.slice(list.start, from) + items!.raw;
    Object.assign(list, { raw, lastItem: list.lastItem + (items!.lastItem ?? 0) });
    this.#patched.add(list);
    this.#put(this.#blocks.slice(at + 1), rest, list.start + raw.length);
    return true;
  }

  /** Makes the last blocks again from the text. */
  #write(last: readonly Written[], start: number): void {
    this.#put(last, blocksOf(this.#text.slice(start, this.#n_shown)), start);
  }

  /** Puts blocks in the place of the last ones; those that are the same stay. */
  #put(last: readonly Written[], blocks: readonly MarkdownBlock[], start: number): void {
    this.#blocks.length -= last.length;
    let at = start;
    for (const [index, block] of blocks.entries()) {
      const before = last[index];
      const element = before?.element ?? document.createElement('div');
      if (!before) this.host.append(element);
      const isSame = before?.raw === block.raw;
      if (!isSame) element.replaceChildren(renderBlock(block.raw));
      if (before && !isSame) this.#patched.delete(before);
      this.#blocks.push(isSame ? before : { ...block, element, start: at });
      at += block.raw.length;
    }
    for (const block of last.slice(blocks.length)) {
      block.element.remove();
      this.#patched.delete(block);
    }
  }

  /** Makes blocks as a whole that were written by additions, but for the last ones. */
  #settle(n_last: number): void {
    const last = this.#blocks.slice(this.#blocks.length - n_last);
    for (const block of this.#patched) {
      if (last.includes(block)) continue;
      this.#patched.delete(block);
      block.element.replaceChildren(renderBlock(block.raw));
    }
  }
}
