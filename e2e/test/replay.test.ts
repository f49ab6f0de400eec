import { expect, it } from 'vitest';
import { people, provenLedger } from '../src/platform.ts';
import { runIn } from '../src/processes.ts';
import { expectAllSettled, payAll, prepare } from '../src/workload.ts';

it.each(['ledger', 'analytics'])(
  '%s reads the whole topic again from offset 0 and is the same, byte for byte',
  async (service) => {
    const who = people();
    const workload = await prepare(who, 5);
    await expectAllSettled(who, workload, await payAll(who, workload));
    const before = await runIn(service, 'node', 'src/digest.ts');
    await runIn(service, 'node', 'src/rebuild.ts');
    expect(await runIn(service, 'node', 'src/digest.ts')).toBe(before);
    await provenLedger(who.auditor);
  },
);
