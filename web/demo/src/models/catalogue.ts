// Models that the page suggests. It ships none of them: their addresses are the user's to change.

export interface Suggestion {
  name: string;
  url: string;
  /** Bytes of the download, and of the weights in int8. */
  download: number;
  memory: number;
  licence: string;
}

export const SUGGESTIONS: readonly Suggestion[] = [
  { name: 'Hala-350M', url: 'https://huggingface.co/hammh0a/Hala-350M', download: 709e6, memory: 376e6, licence: 'CC BY-NC 4.0' },
  { name: 'Hala-700M', url: 'https://huggingface.co/hammh0a/Hala-700M', download: 1.48e9, memory: 779e6, licence: 'CC BY-NC 4.0' },
  { name: 'Hala-1.2B', url: 'https://huggingface.co/hammh0a/Hala-1.2B', download: 2.34e9, memory: 1.23e9, licence: 'CC BY-NC 4.0' },
];
