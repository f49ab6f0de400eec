import { defineConfig } from 'vitest/config';
import config from './vitest.config.ts';

/** Parts of the platform are killed, frozen, stopped and restarted under load. `make test-faults` runs them; `make test` does not. */
export default defineConfig({ ...config, test: { ...config.test, include: ['faults/**/*.test.ts'] } });
