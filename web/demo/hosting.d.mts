import type { Plugin } from 'vite';

export const headers: Record<string, string>;
export const notices: Plugin;
