// Keeps replies while they are written, each by itself: a conversation that is kept whole every second would cost the more the longer it is.

import { openDB } from 'idb';
import type { Conversation, Message } from './conversations.js';

/** What has come of a reply. */
export type Part = Pick<Message, 'content' | 'thought'>;

const STORE = 'replies';
const database = openDB('hala.replies', 1, { upgrade: (opened) => void opened.createObjectStore(STORE) });

/** Keeps what has come of a reply, by its message's id. */
export async function keepReply(id: string, part: Part): Promise<void> {
  await (await database).put(STORE, part.thought ? part : part.content, id);
}

/** Forgets replies that are whole, or were deleted. */
export async function forgetReplies(ids: readonly string[]): Promise<void> {
  const transaction = (await database).transaction(STORE, 'readwrite');
  await Promise.all([...ids.map((id) => transaction.store.delete(id)), transaction.done]);
}

/** Conversations with what was kept of their partial replies; as they are where that cannot be read. */
export async function withReplies(conversations: readonly Conversation[]): Promise<Conversation[]> {
  const parts = await readParts().catch(() => new Map<string, Part>());
  if (parts.size === 0) return [...conversations];
  return conversations.map((conversation) => ({
    ...conversation,
    messages: conversation.messages.map((message) => (message.partial ? { ...message, ...parts.get(message.id) } : message)),
  }));
}

async function readParts(): Promise<Map<string, Part>> {
  const opened = await database;
  const [ids, parts] = await Promise.all([opened.getAllKeys(STORE), opened.getAll(STORE) as Promise<(string | Part)[]>]);
  // One without a thought is its text alone, as all were once.
  return new Map(ids.map((id, index) => [String(id), typeof parts[index] === 'object' ? parts[index] : { content: String(parts[index]) }]));
}
