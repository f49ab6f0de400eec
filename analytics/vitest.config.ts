import { testConfig } from '@payflowx/chassis/vitest-config';

/** Days are UTC. In a time zone far from it, a day in local time fails a test. */
process.env.TZ = 'Pacific/Kiritimati';

export default testConfig();
