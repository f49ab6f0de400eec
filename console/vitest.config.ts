import { defineConfig } from 'vitest/config';

/** The browser tests share one running platform. Each file has its own browser and accounts, so they run beside each other. */
export default defineConfig({
  ssr: { resolve: { conditions: ['payflowx-source', 'module', 'node', 'development|production'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
