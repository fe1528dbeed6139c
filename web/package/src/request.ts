// Requests as pages make them: checked here, in the words of the OpenAI API, before the model is asked.

import { HalaError } from './errors.js';
import type { ChatRequest } from './types.js';

/** What a field must be. */
interface Rule {
  /** In a sentence: "temperature is …, and must be EXPECTED". */
  expected: string;
  holds(value: unknown): boolean;
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const between = (least: number, most: number): Rule => ({
  expected: `a number from ${least} to ${most}`, holds: (value) => isNumber(value) && value >= least && value <= most,
});
const atLeast = (least: number): Rule => ({ expected: `a number of ${least} or more`, holds: (value) => isNumber(value) && value >= least });
const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Rule => ({
  expected: most === Number.MAX_SAFE_INTEGER ? `a whole number of ${least} or more` : `a whole number from ${least} to ${most}`,
  holds: (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most,
});
const oneOf = (...names: readonly string[]): Rule => ({ expected: names.map((name) => `"${name}"`).join(' or '), holds: (value) => names.includes(value as string) });
const flag: Rule = { expected: 'true or false', holds: (value) => typeof value === 'boolean' };
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const object: Rule = { expected: 'an object', holds: isObject };
const text: Rule = { expected: 'text', holds: (value) => typeof value === 'string' };

/** Fields that are passed on to the model. */
const ASKED: Readonly<Record<string, Rule>> = {
  messages: { expected: 'a list of messages', holds: Array.isArray },
  temperature: between(0, 100),
  top_p: between(0, 1),
  top_k: whole(0),
  min_p: between(0, 1),
  repetition_penalty: { expected: 'a number above 0', holds: (value) => isNumber(value) && value > 0 },
  frequency_penalty: between(-2, 2),
  presence_penalty: between(-2, 2),
  logit_bias: { expected: 'an object of token ids and numbers', holds: (value) => isObject(value) && Object.entries(value).every(([id, bias]) => /^\d+$/.test(id) && isNumber(bias)) },
  n: whole(1, 128),
  seed: whole(Number.MIN_SAFE_INTEGER),
  stop: { expected: 'text or a list of texts', holds: (value) => [value].flat().every((stop) => typeof stop === 'string') },
  max_tokens: whole(1),
  max_completion_tokens: whole(1),
  logprobs: flag,
  top_logprobs: whole(0, 20),
  tools: { expected: 'a list of objects', holds: (value) => Array.isArray(value) && value.every(isObject) },
  overflow: oneOf('error', 'drop-oldest'),
  chat_template_kwargs: object,
  now: text,
  model: text,
  stream: flag,
  stream_options: object,
};

/** Fields that only the page's side reads. */
const OWN: Readonly<Record<string, Rule>> = {
  signal: { expected: 'an AbortSignal', holds: (value) => value instanceof AbortSignal },
};

/** Fields of the OpenAI API that ask for nothing: those that a server keeps records by, and values that are what happens in any case. */
const IDLE: Readonly<Record<string, Rule>> = {
  user: text,
  safety_identifier: text,
  prompt_cache_key: text,
  prompt_cache_retention: text,
  metadata: object,
  store: flag,
  service_tier: text,
  response_format: { expected: '{ type: "text" }: replies cannot be constrained yet', holds: (value) => isObject(value) && value['type'] === 'text' },
  tool_choice: oneOf('auto', 'none'),
  parallel_tool_calls: flag,
  modalities: { expected: '["text"]', holds: (value) => Array.isArray(value) && value.every((name) => name === 'text') },
  functions: { expected: 'absent: use tools', holds: (value) => Array.isArray(value) && value.length === 0 },
  function_call: oneOf('auto', 'none'),
  reasoning_effort: text,
  verbosity: text,
};

/** What the module is asked for; throws a {@link HalaError} that names the field. Fields that are null count as absent. */
export function chatRequest(request: ChatRequest): Record<string, unknown> {
  if (!isObject(request)) throw invalid('the request', request, 'an object');
  const asked: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(request)) {
    if (value === null || value === undefined) continue;
    const rule = ASKED[field] ?? OWN[field] ?? IDLE[field];
    if (!rule) throw new HalaError('invalid-request', `${field} is no field of a chat request${nearest(field)}`, { name: field });
    if (!rule.holds(value)) throw invalid(field, value, rule.expected);
    if (field in ASKED) asked[field] = value;
  }
  if (!('messages' in asked)) throw invalid('messages', undefined, 'a list of messages');
  if (request.tool_choice === 'none') delete asked['tools'];
  (asked['messages'] as unknown[]).forEach(checkMessage);
  return asked;
}

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];

function checkMessage(message: unknown, index: number): void {
  const at = `messages[${index}]`;
  if (!isObject(message)) throw invalid(at, message, 'an object with role and content');
  const { role, content } = message;
  if (typeof role !== 'string' || !ROLES.includes(role)) throw invalid(`${at}.role`, role, ROLES.map((name) => `"${name}"`).join(', '));
  if (content === null || content === undefined || typeof content === 'string') return;
  if (!Array.isArray(content)) throw invalid(`${at}.content`, content, 'text, null, or a list of text parts');
  content.forEach((part: unknown, place) => {
    const isText = isObject(part) && part['type'] === 'text' && typeof part['text'] === 'string';
    if (!isText) throw invalid(`${at}.content[${place}]`, isObject(part) ? part['type'] : part, 'a part of type "text": these models read text alone');
  });
}

function invalid(field: string, value: unknown, expected: string): HalaError {
  return new HalaError('invalid-request', `${field} is ${describe(value)}, and must be ${expected}`, { name: field });
}

/** A value in a few words. */
export function describe(value: unknown): string {
  if (value === undefined) return 'absent';
  const json = typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}

/** The known field that a name was meant to be, where one is near. */
function nearest(name: string): string {
  const known = [...Object.keys(ASKED), ...Object.keys(OWN), ...Object.keys(IDLE)];
  const [near] = known.map((field) => ({ field, edits: distance(name, field) })).sort((a, b) => a.edits - b.edits);
  return near && near.edits <= 3 ? `: did you mean ${near.field}?` : '';
}

/** Edits that make one word of another, by Levenshtein. */
function distance(one: string, other: string): number {
  let row = [...Array(other.length + 1).keys()];
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === other[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[other.length]!;
}
