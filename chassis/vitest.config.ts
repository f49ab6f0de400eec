import { testConfig } from './src/testing/vitest-config.ts';

export default testConfig({ maxWorkers: 2 });
