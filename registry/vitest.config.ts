import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Consul checks an instance every two seconds, and a wiped one takes a few to elect itself.
    // These tests mostly wait for Consul, so they can wait side by side.
    maxWorkers: 4,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
