// Which sentence is at a place of a text.

import type { Range } from './sentence-text.js';

/** The segment at a place of the source; undefined between segments. They lie in the order of their sources. */
export function segmentAt(segments: readonly { source: Range }[], offset: number): number | undefined {
  let [first, end] = [0, segments.length];
  while (first < end) {
    const half = (first + end) >> 1;
    if (segments[half]!.source[1] <= offset) first = half + 1;
    else end = half;
  }
  const found = segments[first];
  return found && found.source[0] <= offset ? first : undefined;
}
