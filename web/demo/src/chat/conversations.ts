// Conversations: what they are, how they change, and what counts as one when it comes from storage or a file.

import { newId } from '../text/id.js';

/** What a model thought before it answered. */
export interface Thought {
  text: string;
  /** How long it took. */
  seconds: number;
}

export interface Message {
  /** By which pages that have the same conversation open know it. */
  id: string;
  role: 'user' | 'assistant';
  content: string;
  /** Of a reply, where the model thought. */
  thought?: Thought;
  /** A reply whose end has not come: it is being written, or the page was closed meanwhile. */
  partial?: true;
}

export interface Conversation {
  id: string;
  /** Empty where the user gave none: the first message stands for it. */
  title: string;
  system: string;
  messages: Message[];
  /** Milliseconds since 1970. */
  changed: number;
}

/**
 * A change of a conversation. It speaks of messages by their ids, so that it can be made to what this page shows and to what is kept,
 * which another page may have changed meanwhile: nothing of either is lost.
 */
export type Change = (before: Conversation) => Conversation;

export function newConversation(): Conversation {
  return { id: newId(), title: '', system: '', messages: [], changed: Date.now() };
}

export function newMessage(role: Message['role'], content: string): Message {
  return { id: newId(), role, content };
}

/** Takes messages out. */
export function without(ids: readonly string[]): Change {
  return (before) => ({ ...before, messages: before.messages.filter(({ id }) => !ids.includes(id)) });
}

/** Adds a message at the end, or puts it in the place of the one that has its id. */
export function put(message: Message): Change {
  return (before) => {
    const isThere = before.messages.some(({ id }) => id === message.id);
    const messages = isThere ? before.messages.map((other) => (other.id === message.id ? message : other)) : [...before.messages, message];
    return { ...before, messages };
  };
}

/** Sets title or instructions. */
export function set(part: Partial<Pick<Conversation, 'title' | 'system'>>): Change {
  return (before) => ({ ...before, ...part });
}

/** Changes one after the other. */
export function all(...changes: readonly Change[]): Change {
  return (before) => changes.reduce((now, change) => change(now), before);
}

/** The name by which a conversation is found; empty before its first message. */
export function titleOf({ title, messages }: Conversation): string {
  return title || (messages[0]?.content.trim().split('\n')[0]?.slice(0, 60) ?? '');
}

/** A file of conversations. */
export function toFile(conversations: readonly Conversation[]): string {
  return JSON.stringify({ version: 1, conversations }, null, 2);
}

/** The conversations of a file; undefined where it is none, or one of them is not as it must be. */
export function fromFile(json: string): Conversation[] | undefined {
  try {
    const file = JSON.parse(json) as { version?: unknown; conversations?: unknown };
    if (file.version !== 1 || !Array.isArray(file.conversations)) return undefined;
    const read = file.conversations.map(toConversation);
    return read.every((conversation) => conversation !== undefined) ? read : undefined;
  } catch {
    return undefined;
  }
}

/** A conversation as storage or a file has it; undefined where it is none. Messages of earlier versions have no ids: they get their places. */
export function toConversation(value: unknown): Conversation | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, title, system, messages, changed } = value as Record<string, unknown>;
  if (typeof id !== 'string' || typeof title !== 'string' || typeof system !== 'string' || typeof changed !== 'number') return undefined;
  if (!Number.isFinite(changed) || !Array.isArray(messages)) return undefined;
  const read = messages.map((message: unknown, index) => toMessage(message, `${id}/${index}`));
  return read.every((message) => message !== undefined) ? { id, title, system, messages: read, changed } : undefined;
}

function toMessage(value: unknown, place: string): Message | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id = place, role, content, thought, partial } = value as Record<string, unknown>;
  if (typeof id !== 'string' || (role !== 'user' && role !== 'assistant') || typeof content !== 'string') return undefined;
  return { id, role, content, ...(isThought(thought) ? { thought } : {}), ...(partial === true ? { partial } : {}) };
}

function isThought(value: unknown): value is Thought {
  if (typeof value !== 'object' || value === null) return false;
  const { text, seconds } = value as Record<string, unknown>;
  return typeof text === 'string' && typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0;
}
