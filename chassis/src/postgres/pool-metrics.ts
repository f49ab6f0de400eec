/** Figures of a connection pool, by OpenTelemetry's conventions: https://opentelemetry.io/docs/specs/semconv/database/database-metrics/ */
import type { Pool } from 'pg';
import { gauges } from '../telemetry/metrics.ts';

/** Number of pools that were opened with each name. */
const opened = new Map<string, number>();

/** Two series with the same labels would hide each other, so a second pool of a name gets a number: `main-2`. */
export function measurePool(name: string, pool: Pool): void {
  const count = (opened.get(name) ?? 0) + 1;
  opened.set(name, count);
  const labels = { 'db.client.connection.pool.name': count === 1 ? name : `${name}-${count}` };
  gauges(
    {
      'db.client.connection.count': { description: 'Open connections of a pool' },
      'db.client.connection.max': { description: 'Connections that a pool may open' },
      'db.client.connection.pending_requests': { description: 'Statements that wait for a connection' },
    },
    () => [
      {
        name: 'db.client.connection.count',
        value: pool.idleCount,
        labels: { ...labels, 'db.client.connection.state': 'idle' },
      },
      {
        name: 'db.client.connection.count',
        value: pool.totalCount - pool.idleCount,
        labels: { ...labels, 'db.client.connection.state': 'used' },
      },
      { name: 'db.client.connection.max', value: pool.options.max, labels },
      { name: 'db.client.connection.pending_requests', value: pool.waitingCount, labels },
    ],
  );
}
