/** Logs JSON lines to stdout, each with the service, the instance and the trace. Never logs a body or a token. */
import { type Logger, type LoggerOptions, pino, stdSerializers } from 'pino';
import { currentTrace } from './trace.ts';

export type { Logger } from 'pino';

/** Commands that print their result to stdout log to stderr. */
export function createLogger(
  service: string,
  settings: { logLevel: string; instanceId: string },
  destination: 'stdout' | 'stderr' = 'stdout',
): Logger {
  const options: LoggerOptions = {
    level: settings.logLevel,
    base: { service, instance: settings.instanceId },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: withoutObjects },
    mixin: () => {
      const trace = currentTrace();
      return trace ? { trace_id: trace.traceId, request_id: trace.requestId, call_id: trace.callId } : {};
    },
  };
  return pino(options, pino.destination(destination === 'stderr' ? 2 : 1));
}

/** Errors of libraries may hold the whole request, with its tokens. Their texts and codes are enough. */
function withoutObjects(error: Error): object {
  const fields = Object.entries(stdSerializers.err(error));
  return Object.fromEntries(
    fields.filter(([name, value]) => name === 'aggregateErrors' || typeof value !== 'object'),
  );
}
