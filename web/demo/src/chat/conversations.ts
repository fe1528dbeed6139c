// Conversations: what they are, and what counts as one when it comes from storage or a file.

export interface Message {
  role: 'user' | 'assistant';
  content: string;
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

export function newConversation(): Conversation {
  return { id: crypto.randomUUID(), title: '', system: '', messages: [], changed: Date.now() };
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
    return file.conversations.every(isConversation) ? file.conversations : undefined;
  } catch {
    return undefined;
  }
}

export function isConversation(value: unknown): value is Conversation {
  if (typeof value !== 'object' || value === null) return false;
  const { id, title, system, messages, changed } = value as Record<string, unknown>;
  return [id, title, system].every((text) => typeof text === 'string') && Number.isFinite(changed)
    && Array.isArray(messages) && messages.every(isMessage);
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false;
  const { role, content } = value as Record<string, unknown>;
  return (role === 'user' || role === 'assistant') && typeof content === 'string';
}
