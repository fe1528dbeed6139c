// Keeps conversations in this browser.

import { openDB } from 'idb';
import { isConversation, type Conversation } from './conversations.js';

const STORE = 'conversations';
const database = openDB('hala', 1, { upgrade: (opened) => void opened.createObjectStore(STORE, { keyPath: 'id' }) });

/** What is kept, the last changed first; entries that are no conversations are left out. Throws where the browser keeps nothing. */
export async function readAll(): Promise<Conversation[]> {
  const kept: unknown[] = await (await database).getAll(STORE);
  return kept.filter(isConversation).sort((a, b) => b.changed - a.changed);
}

export async function keep(conversation: Conversation): Promise<void> {
  await (await database).put(STORE, conversation);
}

export async function forget(id: string): Promise<void> {
  await (await database).delete(STORE, id);
}
