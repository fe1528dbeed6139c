// Asks the model for the next message of a conversation, shows it as it comes, and keeps what has come.

import { batch, effect, signal, type Signal } from '@preact/signals';
import { HalaError, type ChatMessage, type Hala } from 'hala-web';
import { hala, tokensPerSecond } from '../state/engine.js';
import { all, newMessage, put, without, type Conversation, type Message } from './conversations.js';
import { Growing, type Piece } from './growing.js';
import { change, conversations, find, finishReply, forgetParts, keepPart } from './state.js';

/** How often a reply is kept while it comes, in milliseconds. */
const KEPT_EVERY = 1000;

/** A reply that is being written. */
export interface Reply {
  /** The message that it becomes. */
  id: string;
  /** What has come of it. A piece changes this alone, so that only the message is made anew. */
  text: Signal<string>;
  /** The same of what the model thinks before it answers; empty where it does not. */
  thought: Signal<string>;
  /** How long it thought, once it answers. */
  seconds: Signal<number | undefined>;
  /** What it waits for: a model, or the end of another conversation's reply. */
  waits: Signal<'model' | 'turn' | undefined>;
}

/** How the last reply of a conversation ended. */
export interface Outcome {
  error?: HalaError;
  /** Messages that no longer fitted into the context. */
  dropped: number;
}

/** Replies under way, by conversation; the model writes them one after the other. */
export const replies = signal<ReadonlyMap<string, Reply>>(new Map());
export const outcomes = signal<ReadonlyMap<string, Outcome>>(new Map());

const stops = new Map<string, AbortController>();

// Nobody reads the reply of a conversation that was deleted, here or on another page.
effect(() => {
  const ids = new Set(conversations.value.map(({ id }) => id));
  for (const [id, stop] of stops) if (!ids.has(id)) stop.abort();
});

/** What the model is given. */
export function promptOf({ system }: Pick<Conversation, 'system'>, messages: readonly Message[]): ChatMessage[] {
  const turns = messages.filter(({ content }) => content !== '').map(({ role, content, thought }) => ({
    role, content, ...(thought ? { reasoning_content: thought.text } : {}),
  }));
  return [...(system.trim() ? [{ role: 'system', content: system } as const] : []), ...turns];
}

/** Stops a conversation's reply; what has come of it stays. */
export function stopReply(conversation: string | undefined): void {
  if (conversation !== undefined) stops.get(conversation)?.abort();
}

/** Takes messages out of a conversation, adds one of the user's where it is given, and lets the model answer. */
export async function answer(conversation: string, taken: readonly Message[], asked?: string): Promise<void> {
  stopReply(conversation);
  const message: Message = { ...newMessage('assistant', ''), partial: true };
  const asks = asked === undefined ? [] : [put(newMessage('user', asked))];
  void change(conversation, all(without(taken.map(({ id }) => id)), ...asks, put(message)));
  forgetParts(taken.map(({ id }) => id));
  const now = find(conversation);
  if (!now) return;
  const mine = new AbortController();
  const waits = !hala.value ? 'model' : replies.value.size > 0 ? 'turn' : undefined;
  stops.set(conversation, mine);
  replies.value = new Map(replies.value).set(conversation, newReply(message.id, waits));
  outcomes.value = new Map(outcomes.value).set(conversation, { dropped: 0 });
  await write(conversation, promptOf(now, now.messages), message, mine);
}

function newReply(id: string, waits: 'model' | 'turn' | undefined): Reply {
  return { id, text: signal(''), thought: signal(''), seconds: signal(undefined), waits: signal(waits) };
}

/**
 * Writes the reply into its message: what came is kept every second, by itself, as a conversation may be long; and in the conversation at
 * the end, whatever ends it.
 */
async function write(conversation: string, messages: ChatMessage[], { id, role }: Message, mine: AbortController): Promise<void> {
  const growing = new Growing();
  let [keptAt, isWhole] = [-KEPT_EVERY, false];
  try {
    const model = await loadedModel(mine.signal);
    for await (const piece of stream(conversation, model, messages, mine.signal)) {
      growing.add(piece);
      show(conversation, mine, growing);
      if (performance.now() - keptAt < KEPT_EVERY || growing.isEmpty) continue;
      keptAt = performance.now();
      keepPart(id, growing.part);
    }
    isWhole = true;
  } catch (thrown) {
    if (!(thrown instanceof HalaError)) throw thrown;
    if (thrown.code !== 'aborted') tell(conversation, { error: thrown });
  } finally {
    // What was stopped before its first word leaves nothing; what the model itself ended without one is told to be empty.
    void finishReply(conversation, id, growing.isEmpty && !isWhole ? without([id]) : put({ id, role, ...growing.part }));
    if (stops.get(conversation) === mine) end(conversation);
  }
}

function end(conversation: string): void {
  stops.delete(conversation);
  const left = new Map(replies.value);
  left.delete(conversation);
  replies.value = left;
}

function tell(conversation: string, part: Partial<Outcome>): void {
  const before = outcomes.value.get(conversation) ?? { dropped: 0 };
  outcomes.value = new Map(outcomes.value).set(conversation, { ...before, ...part });
}

const frames = new Map<string, number>();

/** Shows what has come, once a frame however many tokens come. */
function show(conversation: string, mine: AbortController, growing: Growing): void {
  cancelAnimationFrame(frames.get(conversation) ?? 0);
  frames.set(conversation, requestAnimationFrame(() => {
    const reply = replies.value.get(conversation);
    if (stops.get(conversation) !== mine || !reply) return;
    const { content, thought } = growing.part;
    batch(() => {
      reply.text.value = content;
      reply.thought.value = thought?.text ?? '';
      reply.seconds.value = content === '' ? undefined : thought?.seconds;
      reply.waits.value = undefined;
    });
  }));
}

async function* stream(conversation: string, model: Hala, messages: ChatMessage[], signal: AbortSignal): AsyncGenerator<Piece> {
  tell(conversation, { dropped: await countDropped(model, messages) });
  const request = { messages, stream: true, overflow: 'drop-oldest', signal } as const;
  for await (const chunk of await model.chat.completions.create(request)) {
    yield chunk.choices[0]?.delta ?? {};
    if (chunk.timings) tokensPerSecond.value = chunk.timings.predicted_per_second;
  }
}

/** How many of the first messages the context has no room for. */
async function countDropped(model: Hala, messages: ChatMessage[]): Promise<number> {
  const system = messages.filter(({ role }) => role === 'system');
  const turns = messages.slice(system.length);
  const fits = async (n: number) => (await model.countPrompt([...system, ...turns.slice(n)])) < model.info.model.context;
  if (await fits(0)) return 0;
  // A shorter prompt never has more tokens: halving finds the first that fits.
  let [tooFew, enough] = [0, turns.length];
  while (enough - tooFew > 1) {
    const half = (tooFew + enough) >> 1;
    if (await fits(half)) enough = half;
    else tooFew = half;
  }
  return enough;
}

/** The model, once it is loaded. */
function loadedModel(signal: AbortSignal): Promise<Hala> {
  let end = () => {};
  const loaded = new Promise<Hala>((resolve, reject) => {
    end = effect(() => { if (hala.value) resolve(hala.value); });
    signal.addEventListener('abort', () => reject(new HalaError('aborted', 'stopped on request')));
  });
  return loaded.finally(() => end());
}
