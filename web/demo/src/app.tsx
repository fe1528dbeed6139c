// The page: header, the open view, and what can be opened over it.

import { lazy, Suspense } from 'preact/compat';
import { useEffect } from 'preact/hooks';
import { AboutDialog } from './about/dialog.js';
import { texts } from './i18n/i18n.js';
import { ModelDialog } from './models/dialog.js';
import { LoadBar } from './models/load-bar.js';
import { view, type View } from './state/route.js';
import { language, theme } from './state/settings.js';
import { StatusDialog } from './status/dialog.js';
import { TranslateView } from './translate/view.js';
import { Announcer } from './ui/announcer.js';
import { openDialog } from './ui/dialog.js';
import { IconButton } from './ui/icon-button.js';
import { Icon } from './ui/icon.js';
import { UpdateNote } from './ui/update-note.js';

/** Chat brings Markdown with it, which the first view does without. */
const ChatView = lazy(() => import('./chat/view.js').then(({ ChatView }) => ({ default: ChatView })));

export function App() {
  const t = texts.value;
  useEffect(() => {
    document.title = `${t.brand} · ${view.value === 'chat' ? t.chat : t.translate}`;
  }, [t, view.value]);
  const skip = (event: Event) => {
    event.preventDefault();
    document.getElementById('main')?.focus();
  };
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>{t.skip}</a>
      <Header />
      <LoadBar />
      <main id="main" tabIndex={-1}>
        <h1 class="visually-hidden">{view.value === 'chat' ? t.chat : t.translate}</h1>
        {view.value === 'chat' ? <Suspense fallback={null}><ChatView /></Suspense> : <TranslateView />}
      </main>
      <footer class="privacy">
        <Icon name="shield" /> {t.privacy} <button type="button" class="link" onClick={() => openDialog('about')}>{t.about}</button>
      </footer>
      <UpdateNote />
      <ModelDialog />
      <StatusDialog />
      <AboutDialog />
      <Announcer />
    </>
  );
}

function Header() {
  const t = texts.value;
  const themes = ['auto', 'light', 'dark'] as const;
  const nextTheme = () => { theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length]!; };
  const switchLanguage = () => { language.value = language.value === 'ar' ? 'en' : 'ar'; };
  return (
    <header class="top">
      <a class="brand" href="#translate"><img src="./icon.svg" alt="" width="32" height="32" /><span>{t.brand}</span></a>
      <nav aria-label={t.views}>
        <Tab to="translate" name={t.translate} />
        <Tab to="chat" name={t.chat} />
      </nav>
      <div class="tools">
        <IconButton icon="chip" label={t.models} onClick={() => openDialog('models')} />
        <IconButton icon="status" label={t.status} onClick={() => openDialog('status')} />
        <IconButton icon="sun" label={`${t.theme}: ${t.themes[theme.value]}`} onClick={nextTheme} />
        <button type="button" class="language" lang={language.value === 'ar' ? 'en' : 'ar'} title={t.switchLanguage} onClick={switchLanguage}>
          {t.otherLanguage}
        </button>
      </div>
    </header>
  );
}

function Tab({ to, name }: { to: View; name: string }) {
  return <a href={`#${to}`} aria-current={view.value === to ? 'page' : undefined}>{name}</a>;
}
