/**
 * The figures of this process, for OpenTelemetry. Until `startMetrics` has run, nothing is recorded, and recording costs one comparison.
 * A figure never fails or delays the work that it describes. Every label has a bounded set of values: no ids, no names of users.
 */
import { type Attributes, type BatchObservableResult, type Meter, metrics } from '@opentelemetry/api';

export type Labels = Attributes;

export interface MetricOptions {
  description: string;
  /** `s` or `By`. Prometheus expects it at the end of the name, and the exporter does not add it. */
  unit?: 's' | 'By';
  /** Upper bounds of a histogram. Default: those of OpenTelemetry for durations, 5 ms to 10 s. */
  buckets?: number[];
}

const UNIT_SUFFIXES = { s: '.seconds', By: '.bytes' } as const;

/** https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

let meter: Meter | undefined;

/** Called by `startMetrics`, when there is a provider. */
export function recordMetrics(): void {
  meter = metrics.getMeter('payflowx');
}

const named = (name: string, { unit }: MetricOptions) => (unit ? `${name}${UNIT_SUFFIXES[unit]}` : name);

/** Runs `record`, if metrics are on. Its errors are dropped: a lost figure must not fail a payment. */
function recorded(record: (meter: Meter) => void): void {
  if (meter === undefined) return;
  try {
    record(meter);
  } catch {
    // There is nothing to do about it here, and a log line for each request would be worse.
  }
}

/** A number that only grows. Prometheus sees a series from its first `add`, so call `add(0)` for series that alerts compare. */
export function counter(name: string, options: MetricOptions) {
  const { description, unit } = options;
  let instrument: ReturnType<Meter['createCounter']> | undefined;
  return {
    add: (value: number, labels: Labels = {}) =>
      recorded((meter) => {
        instrument ??= meter.createCounter(named(name, options), { description, ...(unit && { unit }) });
        instrument.add(value, labels);
      }),
  };
}

export function histogram(name: string, options: MetricOptions) {
  const { description, unit, buckets = DURATION_BUCKETS } = options;
  let instrument: ReturnType<Meter['createHistogram']> | undefined;
  return {
    record: (value: number, labels: Labels = {}) =>
      recorded((meter) => {
        instrument ??= meter.createHistogram(named(name, options), {
          description,
          ...(unit && { unit }),
          advice: { explicitBucketBoundaries: buckets },
        });
        instrument.record(value, labels);
      }),
  };
}

export interface Reading<Name extends string> {
  name: Name;
  value: number;
  labels?: Labels;
}

/** Prometheus gives up after 10 s. A slow database must not keep the other figures from it. */
const READ_LIMIT_MS = 2_000;

/**
 * Figures that are read when Prometheus asks, at most every `everyMs`. If a read fails or takes too long, they are NaN: unknown is not the
 * last value. One read runs at a time.
 */
export function gauges<Name extends string>(
  figures: Record<Name, MetricOptions>,
  read: () => Promise<Reading<Name>[]> | Reading<Name>[],
  { everyMs = 0 } = {},
): void {
  recorded((meter) => {
    const instruments = Object.fromEntries(
      Object.entries<MetricOptions>(figures).map(([name, options]) => [
        name,
        meter.createObservableGauge(named(name, options), { description: options.description }),
      ]),
    ) as Record<Name, ReturnType<Meter['createObservableGauge']>>;
    const readings = keepReadings(read, everyMs);
    const observe = async (result: BatchObservableResult) => {
      for (const { name, value, labels } of await readings())
        result.observe(instruments[name], value, labels);
    };
    meter.addBatchObservableCallback(observe, Object.values(instruments));
  });
}

/** Returns the latest readings. Those of a failed or overdue read are NaN. */
function keepReadings<Name extends string>(
  read: () => Promise<Reading<Name>[]> | Reading<Name>[],
  everyMs: number,
): () => Promise<Reading<Name>[]> {
  let latest: Reading<Name>[] = [];
  let running: Promise<void> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  const unknown = () => {
    latest = latest.map((reading) => ({ ...reading, value: Number.NaN }));
  };
  const start = async () => {
    readAt = performance.now();
    try {
      latest = await read();
    } catch {
      unknown();
    } finally {
      running = undefined;
    }
  };
  return async () => {
    if (!running && performance.now() - readAt >= everyMs) running = start();
    if (running && !(await endsInTime(running))) unknown();
    return latest;
  };
}

async function endsInTime(work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, READ_LIMIT_MS, false);
  });
  try {
    return await Promise.race([work.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
