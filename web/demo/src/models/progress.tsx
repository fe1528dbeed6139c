// How far a model is, how fast it comes, and a way to pause.

import type { LoadProgress } from 'hala-web';
import { texts } from '../i18n/i18n.js';
import { formatBytes, formatPercent } from '../i18n/numbers.js';
import { load, loadModel, pause } from '../state/engine.js';
import { ErrorNote } from '../ui/error-note.js';

export function Progress() {
  const t = texts.value;
  const state = load.value;
  if (state.kind === 'idle') return null;
  const name = state.choice.kind === 'built-in' ? t.builtIn : state.choice.name;
  if (state.kind === 'failed') {
    return (
      <div class="progress">
        <ErrorNote error={state.error} />
        <button type="button" onClick={() => void loadModel(state.choice)}>{t.resume}: <bdi>{name}</bdi></button>
      </div>
    );
  }
  // The built-in model is there before a bar could be read.
  if (state.choice.kind === 'built-in') return null;
  const { progress } = state;
  return (
    <div class="progress">
      <div class="progress-head">
        <span><bdi>{name}</bdi> — {state.kind === 'paused' ? t.paused : t.phases[progress?.phase ?? 'load']}</span>
        {state.kind === 'loading'
          ? <button type="button" onClick={pause}>{t.pause}</button>
          : <button type="button" onClick={() => void loadModel(state.choice)}>{t.resume}</button>}
      </div>
      <progress aria-label={name} value={progress ? progress.loaded / progress.total : undefined} max={1} />
      {progress && <Figures progress={progress} />}
    </div>
  );
}

function Figures({ progress: { phase, loaded, total, bytesPerSecond } }: { progress: LoadProgress }) {
  const t = texts.value;
  if (phase === 'load') return <p class="figures"><bdi>{formatPercent(loaded / total)}</bdi></p>;
  return (
    <p class="figures">
      <bdi>{formatBytes(loaded)}</bdi> / <bdi>{formatBytes(total)}</bdi>
      {bytesPerSecond > 0 && <> · <bdi>{t.speed(formatBytes(bytesPerSecond))}</bdi></>}
    </p>
  );
}
