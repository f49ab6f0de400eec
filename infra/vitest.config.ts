import { defineConfig } from 'vitest/config';

/** infra runs only in the checkout, where packages are resolved to their sources. */
const conditions = ['payflowx-source', 'module', 'node', 'development|production'];

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: { include: ['src/**/*.test.ts'], testTimeout: 240_000 },
});
