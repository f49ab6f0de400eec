/** The frame of every service's main: logs, signals, and an ordered shutdown. */
import { createLogger, type Logger } from '../telemetry/log.ts';
import { type MetricsSettings, startMetrics } from '../telemetry/start-metrics.ts';
import { startTraces, type TracesSettings } from './start-traces.ts';

/** After this time a shutdown is aborted. A supervisor would send SIGKILL soon afterwards. */
const SHUTDOWN_LIMIT_MS = 15_000;

export interface RunContext {
  log: Logger;
  /** Registers how to stop a part. Parts are stopped in reverse order. */
  onStop(name: string, stop: () => unknown): void;
}

type Part = { name: string; stop: () => unknown };

/**
 * Runs a service until SIGTERM or SIGINT, then stops its parts in reverse order and exits with 0. If `main` rejects, the started
 * parts are stopped and the process exits with 1.
 */
export async function runService(
  name: string,
  settings: { logLevel: string; instanceId: string; metrics: MetricsSettings; traces: TracesSettings },
  main: (context: RunContext) => Promise<void>,
): Promise<void> {
  const log = createLogger(name, settings);
  const parts: Part[] = [];
  let stopping = false;

  const stop = async (reason: string, exitCode: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    setTimeout(() => {
      log.error('the shutdown took too long; exiting');
      process.exit(1);
    }, SHUTDOWN_LIMIT_MS).unref();
    await stopAll(parts, log);
    log.info('stopped');
    process.exit(exitCode);
  };

  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  // After an uncaught error the state is unknown. The process exits, and the supervisor starts a new one.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught exception');
    process.exit(1);
  });
  process.on('unhandledRejection', (error) => {
    log.fatal({ err: error }, 'unhandled rejection');
    process.exit(1);
  });

  try {
    const metrics = await startMetrics(name, settings.metrics, log);
    parts.push({ name: 'metrics', stop: () => metrics?.stop() });
    const traces = await startTraces(
      { service: name, instanceId: settings.instanceId },
      settings.traces,
      log,
    );
    parts.push({ name: 'traces', stop: () => traces?.stop() });
    await main({ log, onStop: (name, stopPart) => parts.push({ name, stop: stopPart }) });
    log.info('started');
  } catch (error) {
    log.fatal({ err: error }, 'could not start');
    await stop('failed start', 1);
  }
}

async function stopAll(parts: Part[], log: Logger): Promise<void> {
  for (const { name, stop } of parts.reverse()) {
    try {
      await stop();
    } catch (error) {
      log.error({ err: error, part: name }, 'a part did not stop cleanly');
    }
  }
}
