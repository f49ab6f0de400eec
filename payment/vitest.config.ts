import { testConfig } from '@payflowx/chassis/vitest-config';

export default testConfig({ maxWorkers: 2 });
