/** The logs of tests. */
import { createLogger, type Logger } from '../telemetry/log.ts';

/** Silent, unless TEST_LOG names a level. */
export const testLog = createLogger('test', {
  logLevel: process.env.TEST_LOG ?? 'silent',
  instanceId: 'test',
});

/** A logger that keeps the fields of its lines, each with its level and its message. */
export function recordingLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const record = (level: string) => (fields: object, message: string) => {
    lines.push({ ...fields, level, message });
  };
  const levels = ['debug', 'info', 'warn', 'error'].map((level) => [level, record(level)]);
  return { log: Object.assign(Object.create(testLog), Object.fromEntries(levels)) as Logger, lines };
}
