import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Consul checks an instance every two seconds. A wiped Consul takes a few seconds to elect itself. The tests mostly wait for
    // Consul, so they can run in parallel.
    maxWorkers: 4,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
