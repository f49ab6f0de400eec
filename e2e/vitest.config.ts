import { defineConfig } from 'vitest/config';

/** They stop processes, or need the platform for themselves: one after another. */
const ALONE = ['agreement', 'contract', 'examples', 'model', 'proof', 'races', 'replay', 'republish'];
const files = ALONE.map((name) => `test/${name}.test.ts`);

/** All files share one platform. Most read only what they made themselves, so two at a time. */
export default defineConfig({
  ssr: { resolve: { conditions: ['payflowx-source', 'module', 'node', 'development|production'] } },
  test: {
    testTimeout: 240_000,
    hookTimeout: 240_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'beside',
          include: ['test/**/*.test.ts'],
          exclude: files,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: files, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
