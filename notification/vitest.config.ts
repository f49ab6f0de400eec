import { testConfig } from '@payflowx/chassis/vitest-config';

/** Amounts are formatted in English, whatever the language of the machine is. */
process.env.LC_ALL = 'de_DE.UTF-8';

export default testConfig({ maxWorkers: 2 });
