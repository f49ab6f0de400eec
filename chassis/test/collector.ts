/** An OTLP receiver on a port of its own, which keeps the spans that it gets. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  status: { code?: number };
  durationMs: number;
}

export interface Collector {
  endpoint: string;
  spans: ReceivedSpan[];
  /** Everything that was received, as it came. */
  bodies: string[];
  /** While true, requests are taken and never answered. */
  isHung: boolean;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => '');
    if (collector.isHung) return;
    collector.bodies.push(body);
    collector.spans.push(...spansOf(JSON.parse(body)));
    response.setHeader('content-type', 'application/json').end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const collector: Collector = {
    endpoint: `http://127.0.0.1:${port}`,
    spans: [],
    bodies: [],
    isHung: false,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return collector;
}

/** The part of OTLP's JSON that is read. */
interface Exported {
  resourceSpans: { scopeSpans: { spans: ExportedSpan[] }[] }[];
}
type ExportedSpan = Omit<ReceivedSpan, 'attributes' | 'durationMs'> & {
  attributes: { key: string; value: object }[];
  startTimeUnixNano: string;
  endTimeUnixNano: string;
};

function spansOf({ resourceSpans }: Exported): ReceivedSpan[] {
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  return spans.map(({ attributes, links, startTimeUnixNano, endTimeUnixNano, ...span }) => ({
    ...span,
    links: links ?? [],
    attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
    durationMs: Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6,
  }));
}
