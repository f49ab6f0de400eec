import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The gateway serves the files under /console with `script-src 'self'`: no inline script, style or data URL may be built. */
export default defineConfig({
  base: '/console/',
  plugins: [react()],
  resolve: {
    conditions: ['payflowx-source', 'module', 'browser', 'development|production'],
    // The verifier of receipts is the code of the command line. In a browser, SHA-256 and Buffer come from src/receipt/.
    alias: { 'node:crypto': file('src/receipt/node-crypto.ts') },
  },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { transform: { inject: { Buffer: [file('src/receipt/buffer.ts'), 'Buffer'] } } },
  },
  server: { proxy: { '/v1': process.env.GATEWAY ?? 'http://127.0.0.1:8080' } },
});
