// Sentences and their translations, by place.

/** A sentence and its translation, as offsets in UTF-16 units. */
export interface Segment {
  source: [number, number];
  target: [number, number];
}

/** A part of a text: a sentence with its number, or what lies between sentences. */
export interface Part {
  text: string;
  /** Which segment; undefined between segments. */
  index: number | undefined;
}

/** A text cut at its segments' ends; the parts together are the text. */
export function partsOf(text: string, segments: readonly Segment[], side: 'source' | 'target'): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const [index, segment] of segments.entries()) {
    const [start, end] = segment[side];
    if (start < at || end > text.length) continue;
    if (start > at) parts.push({ text: text.slice(at, start), index: undefined });
    if (end > start) parts.push({ text: text.slice(start, end), index });
    at = end;
  }
  if (at < text.length) parts.push({ text: text.slice(at), index: undefined });
  return parts;
}

/** The segment at a place of the source; undefined between segments. */
export function segmentAt(segments: readonly Segment[], offset: number): number | undefined {
  const index = segments.findIndex(({ source: [start, end] }) => start <= offset && offset < end);
  return index < 0 ? undefined : index;
}
