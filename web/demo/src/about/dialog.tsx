// What the page is, whose it is, and under which licences.

import { texts } from '../i18n/i18n.js';
import { info } from '../state/engine.js';
import { Dialog } from '../ui/dialog.js';

/** Files beside the page, which the build puts there. */
const FILES = [['LICENSE.txt', 'licenceOwn'], ['demo-ar-en.md', 'licenceModel'], ['NOTICES.txt', 'licenceOthers']] as const;

export function AboutDialog() {
  const t = texts.value;
  return (
    <Dialog name="about" title={t.about}>
      <p>{t.aboutText}</p>
      {info.value && <p class="detail"><bdi>Hala {info.value.version}</bdi></p>}
      <h3>{t.licences}</h3>
      <ul class="licences">
        {FILES.map(([file, name]) => <li key={file}><a href={`./licences/${file}`} target="_blank" rel="noopener">{t[name]}</a></li>)}
      </ul>
    </Dialog>
  );
}
