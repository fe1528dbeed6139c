// A text in Markdown, and one as it was written: what is in them is no component's, so that a piece of a reply costs the same however long it is.

import { useLayoutEffect, useRef } from 'preact/hooks';
import { SentenceText } from '../text/sentence-text.js';
import { MarkdownWriter } from './markdown-writer.js';

/** `isGrowing` where more of it is to come. */
export function MarkdownText({ text, isGrowing }: { text: string; isGrowing: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const writer = useRef<MarkdownWriter | undefined>(undefined);
  useLayoutEffect(() => () => writer.current?.stop(), []);
  useLayoutEffect(() => {
    writer.current ??= new MarkdownWriter(host.current!);
    writer.current.show(text);
    if (!isGrowing) writer.current.finish();
  }, [text, isGrowing]);
  return <div class="markdown" ref={host} />;
}

/** Each line in its own direction, or the message's. */
export function Lines({ text }: { text: string }) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const lines = new SentenceText(host.current!);
    lines.show(text);
    return () => lines.stop();
  }, [text]);
  return <div ref={host} />;
}
