import { defineConfig } from 'vitest/config';

/** One platform, and tests that stop parts of it: they take turns. */
export default defineConfig({
  ssr: { resolve: { conditions: ['payflowx-source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['test/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
