// The demo's pure functions: directions, sentences by place, conversations from files.

import { expect, test } from '@playwright/test';
import { fromFile, newConversation, titleOf, toFile } from '../../web/demo/src/chat/conversations.ts';
import { directionOf, withoutControls } from '../../web/demo/src/text/direction.ts';
import { partsOf, segmentAt } from '../../web/demo/src/text/segments.ts';

test('the majority of letters gives the direction', () => {
  expect(directionOf('WebGPU هو معيار جديد')).toBe('rtl');
  expect(directionOf('The word حلا is Arabic')).toBe('ltr');
  expect(directionOf('2026 — 🙂 …')).toBeUndefined();
  expect(directionOf('٣ كتب')).toBe('rtl');
  expect(directionOf('שלום')).toBe('rtl');
});

test('marks of direction are taken out, and nothing else', () => {
  expect(withoutControls('\u200fمرحبا\u202b (x)\u2069')).toBe('مرحبا (x)');
  // The joiner changes letters' shapes, so it is text.
  expect(withoutControls('می\u200cخواهم')).toBe('می\u200cخواهم');
});

test('parts make up the text, whatever the segments say', () => {
  const text = 'One. Two.';
  const parts = partsOf(text, [{ source: [0, 4], target: [0, 1] }, { source: [5, 9], target: [2, 3] }], 'source');
  expect(parts).toEqual([{ text: 'One.', index: 0 }, { text: ' ', index: undefined }, { text: 'Two.', index: 1 }]);
  const odd = partsOf(text, [{ source: [0, 4], target: [0, 0] }, { source: [2, 9], target: [0, 0] }, { source: [5, 99], target: [0, 0] }], 'source');
  expect(odd.map((part) => part.text).join('')).toBe(text);
});

test('a place belongs to the sentence that it is in', () => {
  const segments = [{ source: [0, 4] as [number, number], target: [0, 1] as [number, number] }];
  expect(segmentAt(segments, 3)).toBe(0);
  expect(segmentAt(segments, 4)).toBeUndefined();
});

test('conversations survive a file, and others are refused', () => {
  const conversation = { ...newConversation(), messages: [{ role: 'user' as const, content: '  مرحبا\nsecond line' }] };
  expect(fromFile(toFile([conversation]))).toEqual([conversation]);
  expect(titleOf(conversation)).toBe('مرحبا');
  for (const bad of ['', '[]', '{"version":2,"conversations":[]}', '{"version":1,"conversations":[{}]}', 'null']) {
    expect(fromFile(bad)).toBeUndefined();
  }
});
