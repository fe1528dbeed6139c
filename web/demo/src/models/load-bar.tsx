// The model that is being loaded, on every view; the built-in one is there before a bar could be read.

import { useEffect } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { deviceEvent, hala, load } from '../state/engine.js';
import { announce } from '../ui/announcer.js';
import { Progress } from './progress.js';

export function LoadBar() {
  const t = texts.value;
  useEffect(() => { if (hala.value) announce(t.loaded); }, [hala.value]);
  const isQuiet = load.value.kind === 'loading' && load.value.choice.kind === 'built-in';
  return (
    <>
      {!isQuiet && <Progress />}
      {deviceEvent.value && <p role="status" class="note">{t[deviceEvent.value]}</p>}
    </>
  );
}
