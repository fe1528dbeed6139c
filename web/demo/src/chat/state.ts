// The conversations of this browser and the open one; every change is kept.

import { computed, signal } from '@preact/signals';
import { fromFile, newConversation, type Conversation, type Message } from './conversations.js';
import { forget, keep, readAll } from './storage.js';

/** The last changed first. */
export const conversations = signal<readonly Conversation[]>([]);
export const openId = signal<string | undefined>(undefined);
/** Whether changes are kept. */
export const isKept = signal(true);
export const open = computed(() => conversations.value.find(({ id }) => id === openId.value));

void readAll().then((kept) => {
  const fresh = conversations.value;
  conversations.value = [...fresh, ...kept.filter(({ id }) => fresh.every((other) => other.id !== id))];
  openId.value ??= kept[0]?.id;
}, () => { isKept.value = false; });

/** Opens a new conversation. */
export function begin(): Conversation {
  const conversation = newConversation();
  conversations.value = [conversation, ...conversations.value];
  openId.value = conversation.id;
  return conversation;
}

/** Changes a conversation, which comes first from then on. */
export function change(id: string, part: Partial<Omit<Conversation, 'id' | 'changed'>>): void {
  const before = conversations.value.find((conversation) => conversation.id === id);
  if (!before) return;
  const after = { ...before, ...part, changed: Date.now() };
  conversations.value = [after, ...conversations.value.filter((conversation) => conversation.id !== id)];
  void store(() => keep(after));
}

export function changeMessages(id: string, messages: Message[]): void {
  change(id, { messages });
}

export function remove(id: string): void {
  conversations.value = conversations.value.filter((conversation) => conversation.id !== id);
  if (openId.value === id) openId.value = conversations.value[0]?.id;
  void store(() => forget(id));
}

/** Adds the conversations of a file under new ids, so that nothing is overwritten; undefined where the file is none. */
export function importFile(json: string): number | undefined {
  const read = fromFile(json)?.map((conversation) => ({ ...conversation, id: crypto.randomUUID() }));
  if (!read) return undefined;
  conversations.value = [...read, ...conversations.value];
  openId.value = read[0]?.id ?? openId.value;
  for (const conversation of read) void store(() => keep(conversation));
  return read.length;
}

async function store(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch {
    isKept.value = false;
  }
}
