/** Serves the figures of this process at /metrics, for Prometheus. The SDK is only loaded if metrics are on. */
import { metrics } from '@opentelemetry/api';
import type { Logger } from './log.ts';
import { gauges, recordMetrics } from './metrics.ts';

export interface MetricsSettings {
  host: string;
  /** 0: no metrics. */
  port: number;
}

export interface MetricsServer {
  stop(): Promise<void>;
}

/** Resolves when the figures can be read. If the port is taken, it logs that and goes on: payments matter more than their figures. */
export async function startMetrics(
  service: string,
  { host, port }: MetricsSettings,
  log: Logger,
): Promise<MetricsServer | undefined> {
  if (port === 0) return undefined;
  const [{ MeterProvider }, { PrometheusExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/exporter-prometheus'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new PrometheusExporter({ host, port, withoutScopeInfo: true, preventServerStart: true });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    readers: [exporter],
  });
  try {
    await exporter.startServer();
  } catch (error) {
    log.error({ err: error, host, port }, 'metrics cannot be served; the service runs without them');
    return undefined;
  }
  metrics.setGlobalMeterProvider(provider);
  recordMetrics();
  await measureRuntime();
  log.info({ host, port }, 'serving metrics');
  return { stop: () => provider.shutdown() };
}

/** The event loop, garbage collection and heap, by OpenTelemetry's instrumentation. It has no CPU time and no memory of the process. */
async function measureRuntime(): Promise<void> {
  const { RuntimeNodeInstrumentation } = await import('@opentelemetry/instrumentation-runtime-node');
  new RuntimeNodeInstrumentation({ monitoringPrecision: 20 }).setMeterProvider(metrics.getMeterProvider());
  gauges(
    {
      'process.cpu.time': { description: 'CPU time since the start of the process', unit: 's' },
      'process.memory.usage': { description: 'Resident memory', unit: 'By' },
    },
    () => {
      const { user, system } = process.cpuUsage();
      return [
        { name: 'process.cpu.time', value: user / 1e6, labels: { 'cpu.mode': 'user' } },
        { name: 'process.cpu.time', value: system / 1e6, labels: { 'cpu.mode': 'system' } },
        { name: 'process.memory.usage', value: process.memoryUsage.rss() },
      ];
    },
  );
}
