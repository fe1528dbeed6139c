// An error in the user's language, with what it says in English where more is known.

import type { HalaError } from 'hala-web';
import { texts } from '../i18n/i18n.js';

export function ErrorNote({ error }: { error: HalaError }) {
  const t = texts.value;
  return (
    <div role="alert" class="note note-error">
      <p><strong>{t.errorTitle}.</strong> {t.errors[error.code]}</p>
      <p class="detail" dir="ltr" lang="en">{error.code}: {error.message}</p>
    </div>
  );
}
