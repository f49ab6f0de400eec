/** The Vitest configuration of a service: its pure parts, and the service on real servers. */

interface Settings {
  /** Files at a time. More than one for tests that mostly wait. Default: one less than the machine has cores. */
  maxWorkers?: number;
}

/**
 * The files of a worker share their modules: loading them again for each file would take a third of all processor time. A file must
 * therefore leave nothing behind in them, and stop what it started.
 */
export function testConfig(settings: Settings = {}) {
  // In the checkout, NODE_OPTIONS selects the sources of the packages. Outside of it, their dist is used.
  const conditions = process.env.NODE_OPTIONS?.includes('payflowx-source') ? ['payflowx-source'] : [];
  return {
    ssr: { resolve: { conditions: [...conditions, 'module', 'node', 'development|production'] } },
    test: {
      ...settings,
      isolate: false,
      testTimeout: 240_000,
      hookTimeout: 240_000,
      projects: [
        { extends: true as const, test: { name: 'pure', include: ['src/**/*.test.ts'] } },
        { extends: true as const, test: { name: 'servers', include: ['test/**/*.test.ts'] } },
      ],
    },
  };
}
