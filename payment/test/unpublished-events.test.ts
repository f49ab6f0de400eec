/** Events that wait in the outbox, and events that their broker refuses: operators see both, and the figures count them as pending. */
import { type Parcel, RefusedError } from '@payflowx/chassis';
import { startOutboxRelay, watchOutbox } from '@payflowx/chassis/postgres';
import { eventually, testLog } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DESTINATIONS } from '../src/messages/payment-event.ts';
import { lifecycleOf } from './lifecycle.ts';
import { CALL, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());

async function backlog() {
  const { outbox } = await platform.ledger.getRecoveryStatus({}, CALL);
  return outbox.map(({ destination, waitingCount, oldestAt, refusedCount }) => ({
    destination,
    waitingCount,
    isOld: oldestAt !== undefined,
    refusedCount,
  }));
}

const relayTo = (destination: string, publish: (parcels: Parcel[]) => Promise<void>) =>
  startOutboxRelay({ url: platform.databaseUrl, destination, publish }, testLog);

it('are in the recovery status, the health and the figures until they are published', async () => {
  const { fromAccount } = await life.pay();
  const watch = watchOutbox(
    { db: platform.db, destinations: DESTINATIONS, log: testLog },
    { everyMs: 20, tooLongMs: 0 },
  );
  expect(await backlog()).toEqual([
    { destination: 'payment-events', waitingCount: 2n, isOld: true, refusedCount: 0n },
    { destination: 'payment-notifications', waitingCount: 1n, isOld: true, refusedCount: 0n },
  ]);
  await eventually(() =>
    expect(watch.problem()).toBe('events wait for payment-events and payment-notifications'),
  );

  const relays = await Promise.all([
    relayTo('payment-events', () => Promise.reject(new RefusedError('The message is too large.'))),
    relayTo('payment-notifications', async () => {}),
  ]);
  await eventually(async () =>
    expect(await backlog()).toEqual([
      { destination: 'payment-events', waitingCount: 0n, isOld: false, refusedCount: 2n },
      { destination: 'payment-notifications', waitingCount: 0n, isOld: false, refusedCount: 0n },
    ]),
  );
  await eventually(() => expect(watch.problem()).toBeUndefined());
  const request = { pageSize: 0, pageToken: '', accountIds: [fromAccount] };
  const { accounts } = await platform.ledger.listAccountFigures(request, CALL);
  expect(accounts.map(({ pendingCount }) => pendingCount)).toEqual([2n]);
  await Promise.all([watch.stop(), ...relays.map((relay) => relay.stop())]);
});
