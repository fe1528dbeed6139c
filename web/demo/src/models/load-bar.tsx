// The model that is being loaded, and what happened to the device, on every view.

import { useEffect } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { deviceEvent, hala } from '../state/engine.js';
import { announce } from '../ui/announcer.js';
import { Progress } from './progress.js';

export function LoadBar() {
  const t = texts.value;
  useEffect(() => { if (hala.value) announce(t.loaded); }, [hala.value]);
  return (
    <>
      <Progress />
      {deviceEvent.value && <p role="status" class="note">{t[deviceEvent.value]}</p>}
    </>
  );
}
