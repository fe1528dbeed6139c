// A text in the page that grows and then falls into sentences: a block for each line, so that what is added touches the last line alone.

import { directionOf } from 'hala-web';
import { Steps } from '../ui/steps.js';

/** A part of a text, as offsets in UTF-16 units. */
export type Range = readonly [start: number, end: number];

/** Characters of a text node from which on a new one is begun, at a space: the browser shapes a whole node again when it grows. */
const NODE = 300;
/** What one step does at most. */
const CHARACTERS_A_STEP = 4000;
const SENTENCES_A_STEP = 20;
/** Of a line, what tells its direction: `directionOf` looks at no more. */
const TELLING = 4000;

/** Writes a text and its sentences into an element, and points at one of them. The element is this object's alone. */
export class SentenceText {
  #text = '';
  #n_shown = 0;
  /** The last line, where it begins, and whether its direction may still change. */
  #line: HTMLElement | undefined;
  #lineStart = 0;
  #marking: Iterator<unknown> | undefined;
  #sentences: HTMLElement[][] = [];
  #pointed: readonly HTMLElement[] = [];
  readonly #steps = new Steps(() => this.#step());

  /** `decorate` is told of each sentence's element and number. */
  constructor(readonly host: HTMLElement, readonly decorate: (element: HTMLElement, index: number) => void = () => undefined) {}

  /** Shows a text; where it begins with the one that is shown, the rest is added. */
  show(text: string): void {
    if (!text.startsWith(this.#text)) this.#clear();
    this.#text = text;
    this.#steps.run();
  }

  /** Cuts what is shown into sentences; what was cut before is written anew. */
  mark(ranges: readonly Range[]): void {
    if (this.#marking || this.#sentences.length > 0) this.#clear();
    this.#marking = this.#wrap(ranges);
    this.#steps.run();
  }

  /** Points at a sentence, or at none. */
  point(index: number | undefined): void {
    for (const element of this.#pointed) element.classList.remove('pointed');
    this.#pointed = (index === undefined ? undefined : this.#sentences[index]) ?? [];
    for (const element of this.#pointed) element.classList.add('pointed');
  }

  /** The first element of a sentence, which may lie on several lines; undefined where it is not there (yet). */
  element(index: number): HTMLElement | undefined {
    return this.#sentences[index]?.[0];
  }

  /** Leaves the element as it is. */
  stop(): void {
    this.#steps.stop();
  }

  #clear(): void {
    this.stop();
    this.host.replaceChildren();
    [this.#n_shown, this.#line, this.#lineStart] = [0, undefined, 0];
    [this.#marking, this.#sentences, this.#pointed] = [undefined, [], []];
  }

  #step(): boolean {
    if (this.#n_shown < this.#text.length) {
      this.#add(this.#text.slice(this.#n_shown, this.#n_shown + CHARACTERS_A_STEP));
    } else {
      for (let n = 0; n < SENTENCES_A_STEP && this.#marking; n++) if (this.#marking.next().done) this.#marking = undefined;
    }
    return this.#n_shown < this.#text.length || this.#marking !== undefined;
  }

  #add(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.#n_shown++;
      if (index > 0 || !this.#line) this.#begin();
      if (part === '') continue;
      appendText(this.#line!, part);
      const isTold = this.#n_shown - this.#lineStart >= TELLING;
      this.#n_shown += part.length;
      if (!isTold) this.#line!.dir = directionOf(this.#text.slice(this.#lineStart, Math.min(this.#n_shown, this.#lineStart + TELLING))) ?? '';
    }
  }

  /** Begins a line; an empty one has its height, and is copied, by its break. */
  #begin(): void {
    this.#line = Object.assign(document.createElement('div'), { className: 'line' });
    this.#line.append(document.createElement('br'));
    this.#lineStart = this.#n_shown;
    this.host.append(this.#line);
  }

  /** Puts elements around sentences, one for each line that a sentence lies on. */
  *#wrap(ranges: readonly Range[]): Generator<void> {
    let [at, index] = [0, 0];
    for (const line of this.host.children) {
      for (let node = line.firstChild; node instanceof Text;) {
        while (index < ranges.length && ranges[index]![1] <= at) index++;
        if (index === ranges.length) return;
        const [start, end] = ranges[index]!;
        const n_before = start - at;
        if (n_before > 0) {
          at += Math.min(n_before, node.length);
          node = n_before < node.length ? node.splitText(n_before) : node.nextSibling;
          continue;
        }
        const sentence = surround(node, end - at);
        at += sentence.textContent!.length;
        node = sentence.nextSibling;
        (this.#sentences[index] ??= []).push(sentence);
        this.decorate(sentence, index);
        yield;
      }
      at++;
    }
  }
}

/** Adds text to an element. The break of an empty line goes. */
export function appendText(element: HTMLElement, text: string): void {
  const last = element.lastChild;
  if (last instanceof HTMLBRElement) last.remove();
  const at = last instanceof Text ? (last.length < NODE ? text.length : text.indexOf(' ')) : 0;
  if (at !== 0) (last as Text).appendData(at < 0 ? text : text.slice(0, at));
  if (at >= 0 && at < text.length) element.append(text.slice(at));
}

/** An element around the next characters of a line from a node on, as many as there are. */
function surround(first: Text, n_characters: number): HTMLElement {
  const element = document.createElement('span');
  first.before(element);
  let left = n_characters;
  for (let node: ChildNode | null = first; node instanceof Text && left > 0;) {
    if (node.length > left) node.splitText(left);
    const next: ChildNode | null = node.nextSibling;
    left -= node.length;
    element.append(node);
    node = next;
  }
  return element;
}
