// Isolates the page from others, so that the package computes on several threads; and has Next look for nothing above this folder.

const headers = [
  { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
  { key: 'Cross-Origin-Embedder-Policy', value: 'require-corp' },
];

export default { turbopack: { root: import.meta.dirname }, headers: async () => [{ source: '/:path*', headers }] };
