// The conversations of this browser and the open one; every change is kept, and seen by other pages.

import { computed, signal } from '@preact/signals';
import { newId } from '../text/id.js';
import { fromFile, newConversation, type Change, type Conversation } from './conversations.js';
import { forgetReplies, keepReply, type Part } from './reply-storage.js';
import { forget, keep, onOthersChange, read, readAll } from './storage.js';

/** The last changed first. */
export const conversations = signal<readonly Conversation[]>([]);
export const openId = signal<string | undefined>(undefined);
/** Whether changes are kept. */
export const isKept = signal(true);
export const open = computed(() => find(openId.value));

/** Changes of each conversation that are on their way to be kept. */
const pending = new Map<string, number>();

void readAll().then((kept) => {
  const fresh = conversations.value;
  conversations.value = [...fresh, ...kept.filter(({ id }) => fresh.every((other) => other.id !== id))];
  openId.value ??= kept[0]?.id;
}, () => { isKept.value = false; });

onOthersChange((id) => {
  // What is on its way from here brings the others' changes with it.
  if (!pending.has(id)) void read(id).then((kept) => { if (!pending.has(id)) show(id, kept); });
});

export function find(id: string | undefined): Conversation | undefined {
  return conversations.value.find((conversation) => conversation.id === id);
}

/** Opens a new conversation. */
export function begin(): Conversation {
  const conversation = newConversation();
  conversations.value = [conversation, ...conversations.value];
  openId.value = conversation.id;
  return conversation;
}

/** Changes a conversation, which comes first from then on; one that was deleted stays so. */
export async function change(id: string, made: Change): Promise<void> {
  const before = find(id);
  if (!before) return;
  show(id, { ...made(before), changed: Date.now() });
  await store(id, () => keep(before, made));
}

export function remove(id: string): void {
  forgetParts((find(id)?.messages ?? []).filter(({ partial }) => partial).map((message) => message.id));
  show(id, undefined);
  void store(id, () => forget(id));
}

/** Keeps what has come of a reply that is being written; {@link finishReply} puts it into its conversation. */
export function keepPart(id: string, part: Part): void {
  keepReply(id, part).catch(() => { isKept.value = false; });
}

/** Puts a reply, or its absence, into its conversation, and forgets what was kept of it before. */
export async function finishReply(conversation: string, id: string, made: Change): Promise<void> {
  await change(conversation, made);
  forgetParts([id]);
}

/** Forgets what is kept of replies by themselves. */
export function forgetParts(ids: readonly string[]): void {
  forgetReplies(ids).catch(() => undefined);
}

/** Adds the conversations of a file under new ids, so that nothing is overwritten; undefined where the file is none. */
export function importFile(json: string): number | undefined {
  const added = fromFile(json)?.map((conversation) => ({ ...conversation, id: newId() }));
  if (!added) return undefined;
  conversations.value = [...added, ...conversations.value];
  openId.value = added[0]?.id ?? openId.value;
  for (const conversation of added) void store(conversation.id, () => keep(conversation, (same) => same));
  return added.length;
}

/** Puts a conversation first, or takes it away. */
function show(id: string, now: Conversation | undefined): void {
  const rest = conversations.value.filter((conversation) => conversation.id !== id);
  conversations.value = now ? [now, ...rest].sort((a, b) => b.changed - a.changed) : rest;
  if (!now && openId.value === id) openId.value = rest[0]?.id;
}

/** Writes; when nothing more of this conversation is on its way, what is kept is what is shown. */
async function store(id: string, write: () => Promise<Conversation | void>): Promise<void> {
  pending.set(id, (pending.get(id) ?? 0) + 1);
  let kept: Conversation | void = undefined;
  try {
    kept = await write();
  } catch {
    isKept.value = false;
  }
  const left = (pending.get(id) ?? 1) - 1;
  if (left > 0) return void pending.set(id, left);
  pending.delete(id);
  if (kept && find(id)) show(id, kept);
}
