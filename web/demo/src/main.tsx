// Starts the page: the interface at once, the built-in model behind it.

import '@fontsource/ibm-plex-sans-arabic/arabic-400.css';
import '@fontsource/ibm-plex-sans-arabic/arabic-600.css';
import '@fontsource/ibm-plex-sans-arabic/latin-400.css';
import '@fontsource/ibm-plex-sans-arabic/latin-600.css';
import './styles/base.css';
import './styles/translate.css';
import './styles/chat.css';
import './styles/dialogs.css';
import { render } from 'preact';
import { App } from './app.js';
import { loadFirst } from './state/engine.js';
import { keepOffline } from './ui/update-note.js';

render(<App />, document.getElementById('app')!);
// The model's files are kept once they were loaded, so that a first visit does not fetch them twice at once.
void loadFirst().finally(keepOffline);
