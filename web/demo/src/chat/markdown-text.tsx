// A text in Markdown; blocks that are finished are not made anew while more is written.

import { memo } from 'preact/compat';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { blocksOfLonger, renderBlock } from './markdown.js';

export function MarkdownText({ text }: { text: string }) {
  const last = useRef<{ text: string; blocks: readonly string[] }>({ text: '', blocks: [] });
  last.current = { text, blocks: blocksOfLonger(text, last.current) };
  return <>{last.current.blocks.map((raw, index) => <Block key={index} raw={raw} />)}</>;
}

const Block = memo(function Block({ raw }: { raw: string }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => place.current?.replaceChildren(renderBlock(raw)), [raw]);
  return <div ref={place} />;
});
