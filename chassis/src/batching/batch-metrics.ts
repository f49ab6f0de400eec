/** Measures the flushes of batchers: once for each flush and not for each item. */
import { histogram } from '../telemetry/metrics.ts';

const sizes = histogram('payflowx.batch.size', {
  description: 'Items in one flush of a batch',
  buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
});
const waits = histogram('payflowx.batch.wait', {
  description: 'How long the first item of a flush waited for its start',
  unit: 's',
});
const durations = histogram('payflowx.batch.flush.duration', {
  description: 'Duration of a flush',
  unit: 's',
});

/** Settles as `flushed` does. `name` is the name of the batcher. */
export async function measureFlush<T>(
  name: string,
  items: readonly { since: number }[],
  flushed: Promise<T>,
): Promise<T> {
  const labels = { batch: name };
  const startedAt = performance.now();
  sizes.record(items.length, labels);
  waits.record((startedAt - (items[0]?.since ?? startedAt)) / 1_000, labels);
  try {
    return await flushed;
  } finally {
    durations.record((performance.now() - startedAt) / 1_000, labels);
  }
}
