import { defineConfig } from 'vitest/config';

export default defineConfig({
  // In the checkout our packages are used as sources, elsewhere as installed.
  ssr: { resolve: { conditions: ['payflowx-source', 'module', 'node', 'development|production'] } },
  test: { include: ['{src,test}/**/*.test.ts'], testTimeout: 240_000, hookTimeout: 240_000 },
});
