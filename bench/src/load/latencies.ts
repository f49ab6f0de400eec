/** Response times as HDR histograms in microseconds. Every value counts; none is sampled. */
import { build, type Histogram } from 'hdr-histogram-js';

export interface LatencyFigures {
  count: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  p999: number;
  max: number;
}

export interface Latencies {
  /** Both in milliseconds of one clock. The latency counts from `due`, so a late start counts as waiting. */
  record(group: string, dueMs: number, answeredMs: number): void;
  /** In milliseconds, by group. */
  figures(): Record<string, LatencyFigures>;
}

const LONGEST_US = 10 * 60 * 1_000_000;

export function createLatencies(): Latencies {
  const histograms = new Map<string, Histogram>();
  return {
    record(group, dueMs, answeredMs) {
      let histogram = histograms.get(group);
      if (!histogram) {
        histogram = build({ highestTrackableValue: LONGEST_US, numberOfSignificantValueDigits: 3 });
        histograms.set(group, histogram);
      }
      histogram.recordValue(Math.max(1, Math.round((answeredMs - dueMs) * 1000)));
    },
    figures: () => Object.fromEntries([...histograms].map(([group, each]) => [group, figuresOf(each)])),
  };
}

function figuresOf(histogram: Histogram): LatencyFigures {
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
  return {
    count: histogram.totalCount,
    mean: histogram.mean / 1000,
    p50: at(50),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue / 1000,
  };
}
