// How the package is tested: in the system's Chromium, with SwiftShader as its GPU.

import { defineConfig } from '@playwright/test';

export default defineConfig({
  testMatch: '*.spec.ts',
  outputDir: 'results',
  workers: 1,
  // `cargo xtask test --long` runs these too.
  ...(process.env['HALA_LONG'] ? {} : { grepInvert: /@long/ }),
  // These end what hangs, and nothing else: SwiftShader takes minutes to compile kernels on a machine that has other work.
  timeout: 1_800_000,
  expect: { timeout: 600_000 },
  reporter: 'list',
  use: {
    baseURL: 'http://localhost:8130/',
    launchOptions: {
      executablePath: process.env['HALA_CHROMIUM'] ?? '/usr/bin/chromium',
      // A name that is not the machine's own: pages from it are not secure without https.
      args: ['--host-resolver-rules=MAP app.test 127.0.0.1', '--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    },
  },
  webServer: [
    { command: 'node server.mjs', url: 'http://localhost:8130/', reuseExistingServer: false, timeout: 300_000 },
    { command: 'npm run serve --workspace hala-demo -- --port 8133 --strictPort', cwd: '../../web', url: 'http://localhost:8133/', reuseExistingServer: false, timeout: 300_000 },
    { command: 'node hub.mjs', url: 'http://localhost:8131/log/x', reuseExistingServer: false, timeout: 300_000 },
  ],
});
