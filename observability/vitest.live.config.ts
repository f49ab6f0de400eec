import { defineConfig } from 'vitest/config';

/** `make test-observe`: the tests on a running platform. They stop parts of it, so they run in sequence. */
export default defineConfig({
  ssr: { resolve: { conditions: ['payflowx-source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['live/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
