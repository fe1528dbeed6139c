// The loaded model: which, how far loading is, how it went, how fast it is.

import { computed, signal } from '@preact/signals';
import { folderOf, Hala, HalaError, type HalaInfo, type LoadProgress } from 'hala-web';
import { lastModel, remember } from './last-model.js';

/** A model that can be loaded. */
export type ModelChoice =
  | { kind: 'built-in' }
  | { kind: 'url'; url: string; name: string }
  | { kind: 'files'; files: File[]; name: string };

export type LoadState =
  | { kind: 'idle' }
  | { kind: 'loading'; choice: ModelChoice; progress: LoadProgress | undefined }
  | { kind: 'paused'; choice: ModelChoice; progress: LoadProgress | undefined }
  | { kind: 'failed'; choice: ModelChoice; error: HalaError };

export type BackendChoice = 'auto' | 'webgpu' | 'wasm';

const BUILT_IN: ModelChoice = { kind: 'built-in' };

export const hala = signal<Hala | undefined>(undefined);
export const info = signal<HalaInfo | undefined>(undefined);
export const load = signal<LoadState>({ kind: 'idle' });
/** The model in use, or being loaded for use. */
export const chosen = signal<ModelChoice>(BUILT_IN);
export const backend = signal<BackendChoice>('auto');
/** Tokens a second of the last reply or translation; 0 before. */
export const tokensPerSecond = signal(0);
/** What happened to the device last. */
export const deviceEvent = signal<'lost' | 'moved' | undefined>(undefined);
export const isBuiltIn = computed(() => chosen.value.kind === 'built-in');

let stop: AbortController | undefined;

/** Loads a model and puts it in the place of the last one; the built-in one serves until it is there. */
export async function loadModel(choice: ModelChoice): Promise<void> {
  stop?.abort();
  const mine = (stop = new AbortController());
  const isCurrent = () => stop === mine;
  load.value = { kind: 'loading', choice, progress: undefined };
  // Two large models may not fit in memory together.
  if (!isBuiltIn.value) release();
  try {
    const opened = await Hala.load({
      model: modelOf(choice),
      backend: backend.value,
      signal: mine.signal,
      onProgress: (progress) => {
        if (isCurrent() && load.value.kind === 'loading') load.value = { kind: 'loading', choice, progress };
      },
    });
    if (!isCurrent()) return opened.dispose();
    release();
    use(opened, choice);
    remember(choice);
    load.value = { kind: 'idle' };
  } catch (error) {
    if (!isCurrent()) return;
    if (!(error instanceof HalaError)) throw error;
    const progress = load.value.kind === 'loading' ? load.value.progress : undefined;
    load.value = error.code === 'aborted' ? { kind: 'paused', choice, progress } : { kind: 'failed', choice, error };
    if (!hala.value && choice.kind !== 'built-in') await fallBack();
  }
}

/** Loads the built-in model, and then the one that was used last; where that is not wholly kept, it waits for a word of the user's. */
export async function loadFirst(): Promise<void> {
  const last = lastModel();
  await loadModel(BUILT_IN);
  if (!last || chosen.value !== BUILT_IN || load.value.kind !== 'idle') return;
  const kept = await Hala.cache.list();
  if (kept.some(({ url, complete }) => complete && url === folderOf(last.url).href)) return loadModel(last);
  load.value = { kind: 'paused', choice: last, progress: undefined };
}

/** Stops the loading; what was downloaded stays. */
export function pause(): void {
  stop?.abort();
}

/** Looks at memory and backend again. */
export async function refreshInfo(): Promise<void> {
  info.value = await hala.value?.refresh();
}

/** Loads the built-in model without a word about it, because what was asked for has failed or is paused. */
async function fallBack(): Promise<void> {
  try {
    const opened = await Hala.load({ backend: backend.value });
    if (hala.value) opened.dispose();
    else use(opened, BUILT_IN);
  } catch (error) {
    // What is shown is why the model that was asked for is not there, which is what can be mended.
    if (!(error instanceof HalaError)) throw error;
  }
}

function release(): void {
  hala.value?.dispose();
  hala.value = undefined;
  info.value = undefined;
}

function use(opened: Hala, choice: ModelChoice): void {
  opened.addEventListener('devicelost', () => { deviceEvent.value = 'lost'; });
  opened.addEventListener('backendchange', () => {
    deviceEvent.value = 'moved';
    void refreshInfo();
  });
  deviceEvent.value = undefined;
  tokensPerSecond.value = 0;
  chosen.value = choice;
  info.value = opened.info;
  hala.value = opened;
}

function modelOf(choice: ModelChoice): 'built-in' | string | File[] {
  switch (choice.kind) {
    case 'built-in': return 'built-in';
    case 'url': return choice.url;
    case 'files': return choice.files;
  }
}
