/** The configuration of vitest for `make mutate`: the unit tests of one package, without tests that need servers. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** As in the vitest.config.ts of analytics and of notification. */
process.env.TZ = 'Pacific/Kiritimati';
process.env.LC_ALL = 'de_DE.UTF-8';

export default defineConfig({
  ssr: { resolve: { conditions: ['payflowx-source', 'module', 'node', 'development|production'] } },
  test: {
    include: [process.env.MUTATION_TESTS ?? 'src/**/*.test.ts'],
    setupFiles: [join(import.meta.dirname, 'mutation-setup.ts')],
    testTimeout: 60_000,
    isolate: false,
  },
});
