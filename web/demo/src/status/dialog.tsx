// What runs the model and how it fares, with a copy of it for who asks for help.

import { useEffect, useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { formatBytes, formatCount, formatNumber } from '../i18n/numbers.js';
import { hala, info, refreshInfo, tokensPerSecond } from '../state/engine.js';
import { digits, type Digits } from '../state/settings.js';
import { copyText } from '../ui/clipboard.js';
import { Dialog } from '../ui/dialog.js';
import { diagnostics } from './diagnostics.js';

export function StatusDialog() {
  const t = texts.value;
  return <Dialog name="status" title={t.status}><Status /></Dialog>;
}

function Status() {
  const t = texts.value;
  const [isCopied, setCopied] = useState(false);
  useEffect(() => void refreshInfo(), [hala.value]);
  const copy = async () => {
    await copyText(JSON.stringify(await diagnostics(), null, 2));
    setCopied(true);
  };
  return (
    <>
      <Facts />
      <label class="field">
        {t.digits}
        <select value={digits.value} onChange={(event) => { digits.value = event.currentTarget.value as Digits; }}>
          {(['native', 'latin'] as const).map((kind) => <option key={kind} value={kind}>{t.digitKinds[kind]}</option>)}
        </select>
      </label>
      <p class="note">{t.privacy}</p>
      <button type="button" class="primary" onClick={() => void copy()}>{isCopied ? t.copied : t.copyDiagnostics}</button>
    </>
  );
}

function Facts() {
  const t = texts.value;
  const now = info.value;
  if (!now) return null;
  const { model } = now;
  const rows: [string, string][] = [
    [t.model, model.name === 'built-in' ? t.builtIn : model.name],
    [t.backend, t.backends[now.backend]],
    [t.why, t.reasons[now.reasonCode]],
    [t.device, now.device],
    [t.threads, formatNumber(now.threads)],
    [t.speedLabel, tokensPerSecond.value > 0 ? t.perSecond(formatNumber(tokensPerSecond.value, { maximumFractionDigits: 1 })) : '—'],
    [t.parameters, formatCount(model.parameters)],
    [t.weights, formatBytes(model.weightBytes)],
    [t.memory, formatBytes(now.wasmBytes)],
    [t.context, t.tokens(model.context)],
  ];
  return (
    <dl class="facts">
      {rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div>)}
    </dl>
  );
}
