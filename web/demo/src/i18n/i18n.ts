// The texts of the interface, in the language that the user chose.

import { computed } from '@preact/signals';
import { language } from '../state/settings.js';
import { arabic } from './arabic.js';
import { english } from './english.js';

export type Texts = typeof english;

/** The texts of now: reading them in a component ties it to the language. */
export const texts = computed<Texts>(() => (language.value === 'ar' ? arabic : english));
