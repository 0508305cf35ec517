// Builds the console into dist/, which the file service serves under a strict content policy: no inline script or style,
// nothing from elsewhere.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // `data:` addresses are not allowed by the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One page, one bundle of dependencies; it is cached by its hash.
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // Changes with the dependencies, not with every build: cached across versions.
          groups: [{ name: 'vendor', test: /node_modules/ }],
        },
      },
    },
  },
  // `npm run dev` serves the page from here and asks the file service for the rest.
  server: { host: '127.0.0.1', proxy: { '/v1': 'http://127.0.0.1:3000' } },
});
