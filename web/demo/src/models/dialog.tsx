// Choosing a model: the built-in one, suggestions, an address, files; and what is kept.

import { folderOf } from 'hala-web';
import { useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { formatBytes, languageList } from '../i18n/numbers.js';
import { backend, chosen, loadModel, type BackendChoice } from '../state/engine.js';
import { Dialog } from '../ui/dialog.js';
import { chooseFiles } from '../ui/files.js';
import { addressOf, nameOf } from './address.js';
import { SUGGESTIONS, type Suggestion } from './catalogue.js';
import { Kept } from './kept.js';
import { Progress } from './progress.js';
import { UseButton } from './use-button.js';

export function ModelDialog() {
  const t = texts.value;
  return (
    <Dialog name="models" title={t.chooseModel}>
      <Progress />
      <label class="field">
        {t.runsOn}
        <select value={backend.value} onChange={(event) => changeBackend(event.currentTarget.value as BackendChoice)}>
          {(['auto', 'webgpu', 'wasm'] as const).map((name) => <option key={name} value={name}>{t.backends[name]}</option>)}
        </select>
      </label>
      <ul class="models">
        <li class="model">
          <h3>{t.builtIn}</h3>
          <p>{t.builtInAbout}</p>
          <UseButton choice={{ kind: 'built-in' }} label={t.use} />
        </li>
        {SUGGESTIONS.map((suggestion) => <SuggestedModel key={suggestion.name} suggestion={suggestion} />)}
        <OtherModel />
        <LocalModel />
      </ul>
      <Kept />
    </Dialog>
  );
}

function changeBackend(name: BackendChoice): void {
  backend.value = name;
  void loadModel(chosen.value);
}

function SuggestedModel({ suggestion }: { suggestion: Suggestion }) {
  const t = texts.value;
  const [url, setUrl] = useState(suggestion.url);
  const { name, download, memory, languages, n_more = 0, purpose, licence } = suggestion;
  return (
    <li class="model">
      <h3><bdi>{name}</bdi></h3>
      <p>{t.purposes[purpose]}</p>
      <dl class="facts">
        <dt>{t.spoken}</dt><dd>{languageList(languages, n_more > 0 ? [t.moreLanguages(n_more)] : [])}</dd>
        <dt>{t.size}</dt><dd><bdi>{formatBytes(download)}</bdi></dd>
        <dt>{t.memory}</dt><dd><bdi>{formatBytes(memory)}</bdi></dd>
        <dt>{t.licence}</dt><dd><bdi>{licence ?? t.licenceThere}</bdi></dd>
      </dl>
      <Address url={url} onInput={setUrl} />
      <UseButton choice={{ kind: 'url', url, name }} label={t.download} />
    </li>
  );
}

function OtherModel() {
  const t = texts.value;
  const [written, setUrl] = useState('');
  const url = addressOf(written);
  const name = nameOf(written);
  return (
    <li class="model">
      <h3>{t.otherModel}</h3>
      <p>{t.otherAbout}</p>
      <Address url={written} onInput={setUrl} />
      {url && <UseButton choice={{ kind: 'url', url, name }} label={t.download} />}
    </li>
  );
}

function Address({ url, onInput }: { url: string; onInput: (url: string) => void }) {
  const t = texts.value;
  const address = addressOf(url);
  return (
    <>
      <label class="field">
        {t.address}
        <input type="text" inputMode="url" dir="ltr" value={url} onInput={(event) => onInput(event.currentTarget.value.trim())} />
      </label>
      {address && <p class="detail">{t.downloadedFrom(folderOf(address).host)}</p>}
    </>
  );
}

function LocalModel() {
  const t = texts.value;
  const choose = async () => {
    const files = await chooseFiles('.json,.jinja,.safetensors', true);
    const weights = files.find((file) => file.name.endsWith('.safetensors'));
    if (files.length > 0) await loadModel({ kind: 'files', files, name: weights?.name ?? files[0]!.name });
  };
  return (
    <li class="model">
      <h3>{t.localModel}</h3>
      <p>{t.localAbout}</p>
      <button type="button" onClick={() => void choose()}>{t.chooseFiles}</button>
    </li>
  );
}
