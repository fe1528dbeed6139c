// The demo's pure functions: directions, sentences by place and what there is to say of them, conversations from files.

import { expect, test } from '@playwright/test';
import { fromFile, newConversation, newMessage, put, titleOf, toFile, without } from '../../web/demo/src/chat/conversations.ts';
import { n_characters, withoutControls } from '../../web/demo/src/text/characters.ts';
import { segmentAt } from '../../web/demo/src/text/segments.ts';
import { isDoubtful, remarksOn } from '../../web/demo/src/translate/segment-remarks.ts';

test('marks of direction are taken out, and nothing else', () => {
  expect(withoutControls('\u200fمرحبا\u202b (x)\u2069')).toBe('مرحبا (x)');
  // The joiner changes letters' shapes, so it is text.
  expect(withoutControls('می\u200cخواهم')).toBe('می\u200cخواهم');
});

test('ends of lines are as text fields have them, and characters are counted as people do', () => {
  expect(withoutControls('a\r\nb\rc\n')).toBe('a\nb\nc\n');
  expect(n_characters('a🙂ب')).toBe(3);
  expect(n_characters('\ud83d')).toBe(1);
});

test('a place belongs to the sentence that it is in', () => {
  const segments = [[0, 4], [5, 9], [9, 9], [9, 12]].map(([start, end]) => ({ source: [start!, end!] as const }));
  expect([0, 3, 4, 5, 8, 9, 11, 12].map((offset) => segmentAt(segments, offset))).toEqual([0, 0, undefined, 1, 1, 3, 3, undefined]);
  expect(segmentAt([], 0)).toBeUndefined();
});

test('what there is to say of a sentence is told, and doubtful ones from those that are right to stand as they do', () => {
  const on = (remarks: object) => remarksOn({ source: [0, 1], target: [0, 1], ...remarks });
  expect(on({})).toEqual([]);
  expect(on({ copied: 'no-letters' })).toEqual([]);
  expect(on({ copied: 'target-language', other_language: 'fa' })).toEqual([{ kind: 'copied', reason: 'target-language' }, { kind: 'foreign', language: 'fa' }]);
  expect(on({ looped: 'retried', truncated: true })).toEqual([{ kind: 'retried' }, { kind: 'short', reason: 'limit' }]);
  const doubtful = [{ looped: 'cut' }, { looped: 'retried' }, { truncated: true }, { other_language: 'fr' }, { copied: 'too-long' }, { copied: 'refused' }];
  for (const remarks of doubtful) expect(isDoubtful(on(remarks)), JSON.stringify(remarks)).toBe(true);
  for (const copied of ['not-prose', 'target-language', 'other-script']) expect(isDoubtful(on({ copied })), copied).toBe(false);
});

test('conversations survive a file, and others are refused', () => {
  const conversation = put(newMessage('user', '  مرحبا\nsecond line'))(newConversation());
  expect(fromFile(toFile([conversation]))).toEqual([conversation]);
  expect(titleOf(conversation)).toBe('مرحبا');
  for (const bad of ['', '[]', '{"version":2,"conversations":[]}', '{"version":1,"conversations":[{}]}', 'null']) {
    expect(fromFile(bad)).toBeUndefined();
  }
});

test('messages of earlier versions, which had no ids, are read and told apart', () => {
  const messages = [{ role: 'user', content: 'a' }, { role: 'assistant', content: 'b' }];
  const file = JSON.stringify({ version: 1, conversations: [{ id: 'c', title: '', system: '', changed: 1, messages }] });
  const [first, second] = fromFile(file)![0]!.messages;
  expect(first).toMatchObject({ role: 'user', content: 'a' });
  expect(first!.id).not.toBe(second!.id);
  expect(fromFile(file)).toEqual(fromFile(file));
});

test('changes by two pages of one conversation are both kept', () => {
  const begun = put(newMessage('user', 'first'))(newConversation());
  const [one, other] = [newMessage('user', 'one'), newMessage('user', 'other')];
  const both = put(other)(put(one)(begun));
  expect(both.messages.map(({ content }) => content)).toEqual(['first', 'one', 'other']);
  // A reply that grows takes its own place, and taking messages out takes those that were seen alone.
  expect(put({ ...one, content: 'longer' })(both).messages.map(({ content }) => content)).toEqual(['first', 'longer', 'other']);
  expect(without([begun.messages[0]!.id, one.id])(both).messages).toEqual([other]);
});
