// Asks the model for the next message of a conversation, and shows it as it comes.

import { effect, signal } from '@preact/signals';
import { HalaError, type ChatMessage, type Hala } from 'hala-web';
import { hala, tokensPerSecond } from '../state/engine.js';
import type { Conversation, Message } from './conversations.js';
import { changeMessages } from './state.js';

/** The reply that is being written; `waiting` until a model is there. */
export interface Reply {
  conversation: string;
  text: string;
  waiting: boolean;
}

export const reply = signal<Reply | undefined>(undefined);
export const error = signal<HalaError | undefined>(undefined);
/** Messages that no longer fit into the context. */
export const dropped = signal(0);

let stop: AbortController | undefined;

/** What the model is given. */
export function promptOf({ system }: Pick<Conversation, 'system'>, messages: readonly Message[]): ChatMessage[] {
  return [...(system.trim() ? [{ role: 'system', content: system } as const] : []), ...messages];
}

/** Stops the reply; what has come of it stays. */
export function stopReply(): void {
  stop?.abort();
}

/** Lets the model answer these messages, which become the conversation's. */
export async function answer(conversation: Conversation, messages: Message[]): Promise<void> {
  stopReply();
  const mine = (stop = new AbortController());
  const { id } = conversation;
  changeMessages(id, messages);
  error.value = undefined;
  reply.value = { conversation: id, text: '', waiting: !hala.value };
  let text = '';
  try {
    const model = await loadedModel(mine.signal);
    for await (const piece of stream(model, promptOf(conversation, messages), mine.signal)) {
      text += piece;
      show(mine, { conversation: id, text, waiting: false });
    }
  } catch (thrown) {
    if (!(thrown instanceof HalaError)) throw thrown;
    if (thrown.code !== 'aborted') error.value = thrown;
  } finally {
    if (text !== '') changeMessages(id, [...messages, { role: 'assistant', content: text }]);
    if (stop === mine) reply.value = undefined;
  }
}

let frame = 0;

/** Shows what has come, once a frame however many tokens come. */
function show(mine: AbortController, now: Reply): void {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    if (stop === mine && reply.value) reply.value = now;
  });
}

async function* stream(model: Hala, messages: ChatMessage[], signal: AbortSignal): AsyncGenerator<string> {
  dropped.value = await countDropped(model, messages);
  const request = { messages, stream: true, overflow: 'drop-oldest', signal } as const;
  for await (const chunk of await model.chat.completions.create(request)) {
    yield chunk.choices[0]?.delta.content ?? '';
    if (chunk.timings) tokensPerSecond.value = chunk.timings.predicted_per_second;
  }
}

/** How many of the first messages the context has no room for. */
async function countDropped(model: Hala, messages: ChatMessage[]): Promise<number> {
  const system = messages.filter(({ role }) => role === 'system');
  const turns = messages.slice(system.length);
  for (let n = 0; n < turns.length; n++) {
    if ((await model.countPrompt([...system, ...turns.slice(n)])) < model.info.model.context) return n;
  }
  return turns.length;
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
