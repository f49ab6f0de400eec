import { expect, it } from 'vitest';
import { SERVICES } from './services.ts';
import { measureTelemetry } from './telemetry-cost.ts';

it('compares the services’ CPU within each round, in alternating order, without that of the bench', async () => {
  const runs: string[] = [];
  const cpuMs = { bare: 1, standard: 1.01, traced: 1.0201 };
  const added = await measureTelemetry({ rounds: 2, collectorPort: 0 }, async (stage) => {
    runs.push(stage);
    // The second round is slower as a whole, which must not count.
    const each = (cpuMs[stage] * Math.ceil(runs.length / 3)) / SERVICES.length;
    return { cpuMsPerPayment: { generator: 9, ...Object.fromEntries(SERVICES.map((name) => [name, each])) } };
  });
  expect(runs).toEqual(['bare', 'standard', 'traced', 'traced', 'standard', 'bare']);
  for (const share of [...added.metrics, ...added.traces]) expect(share).toBeCloseTo(0.01, 6);
});
