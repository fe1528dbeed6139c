// Keeps replies while they are written, each by itself: a conversation that is kept whole every second would cost the more the longer it is.

import { openDB } from 'idb';
import type { Conversation } from './conversations.js';

const STORE = 'replies';
const database = openDB('hala.replies', 1, { upgrade: (opened) => void opened.createObjectStore(STORE) });

/** Keeps what has come of a reply, by its message's id. */
export async function keepReply(id: string, content: string): Promise<void> {
  await (await database).put(STORE, content, id);
}

/** Forgets replies that are whole, or were deleted. */
export async function forgetReplies(ids: readonly string[]): Promise<void> {
  const transaction = (await database).transaction(STORE, 'readwrite');
  await Promise.all([...ids.map((id) => transaction.store.delete(id)), transaction.done]);
}

/** Conversations with what was kept of their partial replies; as they are where that cannot be read. */
export async function withReplies(conversations: readonly Conversation[]): Promise<Conversation[]> {
  const parts = await readParts().catch(() => new Map<string, string>());
  if (parts.size === 0) return [...conversations];
  return conversations.map((conversation) => ({
    ...conversation,
    messages: conversation.messages.map((message) => (message.partial ? { ...message, content: parts.get(message.id) ?? message.content } : message)),
  }));
}

async function readParts(): Promise<Map<string, string>> {
  const opened = await database;
  const [ids, contents] = await Promise.all([opened.getAllKeys(STORE), opened.getAll(STORE)]);
  return new Map(ids.map((id, index) => [String(id), String(contents[index])]));
}
