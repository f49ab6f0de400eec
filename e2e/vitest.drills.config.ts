import { defineConfig } from 'vitest/config';
import config from './vitest.config.ts';

/** Drills of recovery take minutes, and lose data of the platform on purpose. `make drills` runs them; `make test` does not. */
export default defineConfig({
  ...config,
  test: {
    ...config.test,
    include: ['drills/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
