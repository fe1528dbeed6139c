// Keeps conversations in this browser, and tells other pages of changes.

import { openDB } from 'idb';
import { toConversation, type Change, type Conversation } from './conversations.js';
import { withReplies } from './reply-storage.js';

const STORE = 'conversations';
const database = openDB('hala', 1, { upgrade: (opened) => void opened.createObjectStore(STORE, { keyPath: 'id' }) });
/** The ids of conversations that changed go to all other pages. */
const others = new BroadcastChannel('hala.conversations');

/** What is kept, the last changed first; entries that are no conversations are left out. Throws where the browser keeps nothing. */
export async function readAll(): Promise<Conversation[]> {
  const kept: unknown[] = await (await database).getAll(STORE);
  const conversations = kept.map(toConversation).filter((read) => read !== undefined);
  return (await withReplies(conversations)).sort((a, b) => b.changed - a.changed);
}

export async function read(id: string): Promise<Conversation | undefined> {
  const conversation = toConversation(await (await database).get(STORE, id));
  return conversation && (await withReplies([conversation]))[0];
}

/** Makes a change to what is kept, or to `shown` where nothing is, and gives what is kept then. No other page writes between. */
export async function keep(shown: Conversation, change: Change): Promise<Conversation> {
  const transaction = (await database).transaction(STORE, 'readwrite');
  const kept = toConversation(await transaction.store.get(shown.id)) ?? shown;
  const after = { ...change(kept), changed: Date.now() };
  await Promise.all([transaction.store.put(after), transaction.done]);
  others.postMessage(shown.id);
  return after;
}

export async function forget(id: string): Promise<void> {
  await (await database).delete(STORE, id);
  others.postMessage(id);
}

/** Calls with the id of each conversation that another page changed or deleted. */
export function onOthersChange(listener: (id: string) => void): void {
  others.addEventListener('message', ({ data }) => { if (typeof data === 'string') listener(data); });
}
