import { defineConfig } from 'vitest/config';

/** `make chart`: the tests of the Helm chart. They need Helm, so they are not part of `make test`. */
export default defineConfig({
  ssr: { resolve: { conditions: ['payflowx-source', 'module', 'node', 'development|production'] } },
  test: { include: ['chart/**/*.test.ts'], testTimeout: 60_000 },
});
