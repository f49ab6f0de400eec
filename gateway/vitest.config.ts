import { defineConfig } from 'vitest/config';

/** In the checkout, NODE_OPTIONS names the condition that selects the packages' sources. Outside of it, their dist is used. */
const conditions = process.env.NODE_OPTIONS?.includes('payflowx-source') ? ['payflowx-source'] : [];

export default defineConfig({
  ssr: { resolve: { conditions: [...conditions, 'module', 'node', 'development|production'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
