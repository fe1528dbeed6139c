// How the package is tested: in the system's Chromium, with SwiftShader as its GPU.

import { defineConfig } from '@playwright/test';

export default defineConfig({
  testMatch: '*.spec.ts',
  outputDir: 'results',
  workers: 1,
  // SwiftShader takes its time to compile kernels.
  timeout: 180_000,
  reporter: 'list',
  use: {
    baseURL: 'http://localhost:8130/',
    launchOptions: {
      executablePath: process.env['HALA_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    },
  },
  webServer: [
    { command: 'node server.mjs', url: 'http://localhost:8130/', reuseExistingServer: false },
    { command: 'npm run serve --workspace hala-demo -- --port 8133 --strictPort', cwd: '../../web', url: 'http://localhost:8133/', reuseExistingServer: false },
    { command: 'node hub.mjs', url: 'http://localhost:8131/log/x', reuseExistingServer: false },
  ],
});
