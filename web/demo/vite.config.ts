// Builds the demo into static files that work under any path, with a service worker that keeps them for use without a network.

import { defineConfig } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { headers, notices } from './hosting.mjs';

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    // The page's policy allows no data: addresses.
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
  server: { headers },
  preview: { headers },
  plugins: [
    notices,
    VitePWA({
      // The page asks before it takes a new version, so that nobody's text is lost to a reload.
      registerType: 'prompt',
      injectRegister: false,
      manifest: {
        name: 'Hala · حلا',
        short_name: 'Hala',
        description: 'Translation and chat on your own device. ترجمة ومحادثة على جهازك.',
        lang: 'ar',
        dir: 'rtl',
        start_url: './',
        scope: './',
        display: 'standalone',
        background_color: '#f6f4ef',
        theme_color: '#0d5c57',
        icons: [
          { src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' },
          { src: 'icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: 'icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
      workbox: {
        globPatterns: ['**/*.{html,js,css,woff2,svg,png,wasm,json,safetensors,txt,md}'],
        // The built-in model is the largest file.
        maximumFileSizeToCacheInBytes: 16_000_000,
        cleanupOutdatedCaches: true,
      },
    }),
  ],
});
