/** Payments a second by outcome, from the differences of the totals between two loads. */
import type { Schema } from '@payflowx/client';
import { useEffect, useRef, useState } from 'react';

export const LIVE_MS = 3_000;
/** The plot shows the last five minutes. */
export const PLOT_S = 300;
const KEPT = (PLOT_S * 1_000) / LIVE_MS + 1;

interface Rates {
  times: number[];
  rates: { completed: number[]; failed: number[]; ended: number[] };
}

interface Sample {
  at: number;
  completed: number;
  failed: number;
  ended: number;
}

export function useRates(summary: Schema<'Summary'> | undefined): Rates {
  const last = useRef<Sample>(undefined);
  const [rates, setRates] = useState<Rates>({ times: [], rates: { completed: [], failed: [], ended: [] } });
  useEffect(() => {
    if (!summary) return;
    const sample = sampleOf(summary);
    const before = last.current;
    last.current = sample;
    if (!before || sample.at <= before.at) return;
    const seconds = sample.at - before.at;
    const rate = (name: 'completed' | 'failed' | 'ended') =>
      Math.max(0, sample[name] - before[name]) / seconds;
    setRates(({ times, rates: known }) => ({
      times: [...times, sample.at].slice(-KEPT),
      rates: {
        completed: [...known.completed, rate('completed')].slice(-KEPT),
        failed: [...known.failed, rate('failed')].slice(-KEPT),
        ended: [...known.ended, rate('ended')].slice(-KEPT),
      },
    }));
  }, [summary]);
  return rates;
}

function sampleOf({ data }: Schema<'Summary'>): Sample {
  const sum = (count: (total: Schema<'Summary'>['data'][number]) => number) =>
    data.reduce((total, each) => total + count(each), 0);
  return {
    at: Date.now() / 1_000,
    completed: sum(({ completed_count }) => completed_count),
    failed: sum(({ failed_count }) => failed_count),
    ended: sum(({ cancelled_count, expired_count }) => cancelled_count + expired_count),
  };
}
