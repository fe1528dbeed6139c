// A text in Markdown; blocks that are finished are not made anew while more is written.

import { memo } from 'preact/compat';
import { useEffect, useRef } from 'preact/hooks';
import { blocksOf, renderBlock } from './markdown.js';

export function MarkdownText({ text }: { text: string }) {
  return <>{blocksOf(text).map((raw, index) => <Block key={index} raw={raw} />)}</>;
}

const Block = memo(function Block({ raw }: { raw: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.replaceChildren(renderBlock(raw)), [raw]);
  return <div ref={place} />;
});
