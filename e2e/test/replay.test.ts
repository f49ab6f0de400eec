import { expect, it } from 'vitest';
import { type People, people, provenLedger } from '../src/platform.ts';
import { runIn } from '../src/processes.ts';
import { expectAllSettled, payAll, prepare } from '../src/workload.ts';

/** The number of events that each service has processed, by its own count. */
const COUNTS = {
  ledger: async ({ auditor }: People) => (await provenLedger(auditor)).transaction_count,
  analytics: async ({ auditor }: People) => (await auditor.api.get('/v1/analytics/summary')).data.data,
};

it.each(['ledger', 'analytics'] as const)(
  '%s reads the whole topic again from offset 0 and stays the same, byte for byte',
  async (service) => {
    const who = people();
    const workload = await prepare(who, 5);
    await expectAllSettled(who, workload, await payAll(who, workload));
    // Holds of other tests expire at any time. Only a replay without new events can be compared.
    for (let isUnchanged = false; !isUnchanged; ) {
      const counts = JSON.stringify(await COUNTS[service](who));
      const before = await runIn(service, 'node', 'src/digest.ts');
      await runIn(service, 'node', 'src/rebuild.ts');
      const after = await runIn(service, 'node', 'src/digest.ts');
      isUnchanged = counts === JSON.stringify(await COUNTS[service](who));
      if (isUnchanged) expect(after).toBe(before);
    }
    await provenLedger(who.auditor);
  },
  180_000,
);
