import { expect, it } from 'vitest';
import { people } from '../src/platform.ts';
import { republish } from '../src/republish.ts';
import { expectAllSettled, payAll, prepare } from '../src/workload.ts';

it('events that payment publishes again change nothing: ledger, notification and analytics have each once', async () => {
  const who = people();
  const workload = await prepare(who, 3);
  const ids = await payAll(who, workload);
  await expectAllSettled(who, workload, ids);
  const selection = ids.flatMap((id) => ['--payment', id]);
  // Two events each for Kafka, and one for RabbitMQ.
  expect(await republish(...selection)).toBe(
    '9 events of 3 payments would be published again; --run publishes them',
  );
  expect(await republish(...selection, '--run')).toBe('9 events of 3 payments published again');
  await expectAllSettled(who, workload, ids);
});
