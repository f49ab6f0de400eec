/** JSON lines on stdout, each with the service, the instance and the trace it belongs to. Never a body, never a token. */
import { type Logger, pino } from 'pino';
import { currentTrace } from './trace.ts';

export type { Logger } from 'pino';

export function createLogger(service: string, settings: { logLevel: string; instanceId: string }): Logger {
  return pino({
    level: settings.logLevel,
    base: { service, instance: settings.instanceId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => {
      const trace = currentTrace();
      return trace ? { trace_id: trace.traceId, request_id: trace.requestId } : {};
    },
  });
}
