// The models that this browser keeps: each can be used again, or deleted.

import { Hala, type CachedModel } from 'hala-web';
import { useEffect, useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { formatBytes } from '../i18n/numbers.js';
import { load } from '../state/engine.js';
import { IconButton } from '../ui/icon-button.js';
import { nameOf } from './address.js';
import { UseButton } from './use-button.js';

export function Kept() {
  const t = texts.value;
  const [models, setModels] = useState<CachedModel[]>([]);
  const refresh = () => void Hala.cache.list().then(setModels);
  useEffect(refresh, [load.value.kind]);
  const remove = async (url: string) => {
    await Hala.cache.delete(url);
    refresh();
  };
  return (
    <section>
      <h3>{t.kept}</h3>
      {models.length === 0 && <p class="detail">{t.keptNothing}</p>}
      <ul class="kept">
        {models.map(({ url, bytes, complete }) => (
          <li key={url}>
            <bdi class="address" dir="ltr">{url}</bdi>
            <span><bdi>{formatBytes(bytes)}</bdi>{!complete && ` · ${t.incomplete}`}</span>
            <UseButton choice={{ kind: 'url', url, name: nameOf(url) }} label={complete ? t.use : t.resume} />
            <IconButton icon="remove" label={`${t.remove}: ${url}`} onClick={() => void remove(url)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
