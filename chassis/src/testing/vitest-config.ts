/** The Vitest configuration of a service: its pure parts, and the service on real servers. */

interface Settings {
  /** Fewer than the default, for tests that use much of each core. */
  maxWorkers?: number;
}

/**
 * The tests beside the code are pure, so the files share a worker: loading the modules again for each file would take three times as
 * long. The tests in `test/` start processes and servers, and each file has a worker of its own.
 */
export function testConfig(settings: Settings = {}) {
  // In the checkout, NODE_OPTIONS selects the sources of the packages. Outside of it, their dist is used.
  const conditions = process.env.NODE_OPTIONS?.includes('payflowx-source') ? ['payflowx-source'] : [];
  return {
    ssr: { resolve: { conditions: [...conditions, 'module', 'node', 'development|production'] } },
    test: {
      ...settings,
      testTimeout: 240_000,
      hookTimeout: 240_000,
      projects: [
        { extends: true as const, test: { name: 'pure', include: ['src/**/*.test.ts'], isolate: false } },
        { extends: true as const, test: { name: 'servers', include: ['test/**/*.test.ts'] } },
      ],
    },
  };
}
