/** The log of tests. */
import { createLogger } from '../telemetry/log.ts';

/** Silent, unless TEST_LOG names a level. */
export const testLog = createLogger('test', {
  logLevel: process.env.TEST_LOG ?? 'silent',
  instanceId: 'test',
});
