/** Sends the spans of this process to a collector by OTLP. The SDK is only loaded if an endpoint is configured. */
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../telemetry/log.ts';
import { sampleTraces } from '../telemetry/sampling.ts';
import { idGenerator, recordSpans } from '../telemetry/spans.ts';
import { inTime } from './in-time.ts';
import { createOutage } from './outage.ts';

export interface TracesSettings {
  /** The base URL of an OTLP receiver over HTTP, such as `http://127.0.0.1:4318`. Empty: no traces. */
  endpoint: string;
  /** The share of new traces that are recorded, 0 to 1. */
  ratio: number;
}

export interface TracesSender {
  /** Sends what is left, within STOP_MS. */
  stop(): Promise<void>;
}

/** Spans that wait to be sent. More are lost: a collector that is unavailable or slow costs at most this much memory. */
const MAX_QUEUED = 2_048;
/** Encoding blocks the event loop for a moment, so each request has few spans. */
const MAX_SENT = 128;
const SEND_EVERY_MS = 1_000;
const SEND_LIMIT_MS = 5_000;
/** A shutdown waits no longer for the collector. */
const STOP_MS = 1_000;

/** Never rejects: if traces cannot be sent, it logs that, and the service runs without them. */
export async function startTraces(
  { service, instanceId }: { service: string; instanceId: string },
  { endpoint, ratio }: TracesSettings,
  log: Logger,
): Promise<TracesSender | undefined> {
  if (endpoint === '') return undefined;
  try {
    const url = new URL(`${endpoint.replace(/\/+$/, '')}/v1/traces`);
    const provider = await openProvider({ service, instanceId, url }, log);
    recordSpans(provider.getTracer('payflowx'));
    sampleTraces(ratio);
    log.info({ host: url.host, ratio }, 'sending traces');
    return {
      async stop() {
        recordSpans(undefined);
        sampleTraces(undefined);
        await inTime(
          provider.shutdown().catch(() => undefined),
          STOP_MS,
          () => undefined,
        );
      },
    };
  } catch (error) {
    log.error({ err: error }, 'traces cannot be sent; the service runs without them');
    return undefined;
  }
}

async function openProvider(
  { service, instanceId, url }: { service: string; instanceId: string; url: URL },
  log: Logger,
) {
  const [
    { AlwaysOnSampler, BatchSpanProcessor, TracerProvider },
    { OTLPTraceExporter },
    { resourceFromAttributes },
  ] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new OTLPTraceExporter({
    url: url.href,
    timeoutMillis: SEND_LIMIT_MS,
    concurrencyLimit: 2,
  });
  const processor = new BatchSpanProcessor({
    exporter: reported(exporter, log),
    maxQueueSize: MAX_QUEUED,
    maxExportBatchSize: MAX_SENT,
    scheduledDelayMillis: SEND_EVERY_MS,
    exportTimeoutMillis: SEND_LIMIT_MS,
  });
  return new TracerProvider({
    resource: resourceFromAttributes({
      'service.namespace': 'payflowx',
      'service.name': service,
      'service.instance.id': instanceId,
    }),
    // Spans only reach the SDK if they are wanted, see sampling.ts and recordSpan.
    sampler: new AlwaysOnSampler(),
    idGenerator,
    spanLimits: { attributeValueLengthLimit: 256 },
    spanProcessors: [processor],
  });
}

/** Logs the beginning and the end of an outage of the collector, and not each lost batch. */
function reported(exporter: SpanExporter, log: Logger): SpanExporter {
  const outage = createOutage();
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        if (result.code === 0) {
          if (outage.end()) log.info('traces are sent again');
        } else if (outage.begin()) {
          log.warn({ err: result.error }, 'traces cannot be sent at the moment; they are lost');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
