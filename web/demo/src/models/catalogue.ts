// Models that the page suggests. It ships none of them: their addresses are the user's to change.

export interface Suggestion {
  name: string;
  url: string;
  /** Bytes of the download, and of the weights in int8. */
  download: number;
  memory: number;
  /** BCP 47 tags of the languages that its makers name, those of this page first; and how many there are besides. */
  languages: readonly string[];
  n_more?: number;
  /** What it was made for. */
  purpose: 'translation' | 'conversation';
  /** Where it is not known here, the model's page has it. */
  licence?: string;
}

const HALA = { languages: ['ar', 'en'], purpose: 'translation', licence: 'CC BY-NC 4.0' } as const;

export const SUGGESTIONS: readonly Suggestion[] = [
  { name: 'Hala-350M', url: 'https://huggingface.co/hammh0a/Hala-350M', download: 709e6, memory: 376e6, ...HALA },
  { name: 'Hala-700M', url: 'https://huggingface.co/hammh0a/Hala-700M', download: 1.48e9, memory: 779e6, ...HALA },
  { name: 'Hala-1.2B', url: 'https://huggingface.co/hammh0a/Hala-1.2B', download: 2.34e9, memory: 1.23e9, ...HALA },
  {
    name: 'LFM2.5-1.2B', url: 'https://huggingface.co/LiquidAI/LFM2.5-1.2B-Instruct', download: 2.34e9, memory: 1.23e9,
    languages: ['ar', 'en', 'zh', 'fr', 'de', 'ja', 'ko', 'es'], purpose: 'conversation', licence: 'LFM Open License 1.0',
  },
  {
    name: 'LFM3-1.7B', url: 'https://huggingface.co/LiquidAI/LFM3-1.7B', download: 3.46e9, memory: 1.84e9,
    languages: ['ar', 'en'], n_more: 14, purpose: 'conversation',
  },
];
