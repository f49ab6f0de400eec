/** Races of revocations and collections, through two instances on one database. */
import { setTimeout } from 'node:timers/promises';
import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { PATIENCE_MS, testLog } from '@payflowx/chassis/testing';
import { CaptureMode, MandateState } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decideBatch } from '../src/app/decide-batch.ts';
import { createLockPatience } from '../src/app/lock-patience.ts';
import { createRulesInForce, type RulesInForce } from '../src/app/rules-in-force.ts';
import { toPaymentRequest } from '../src/messages/step-message.ts';
import type { Database } from '../src/store/database.ts';
import { expectBooksToBalance, times } from './books.ts';
import {
  accountOf,
  cancelOf,
  item,
  openAccount,
  openMandate,
  type RunningService,
  startService,
} from './running-service.ts';

let service: RunningService;
let asAlice: { deadlineMs: number; accessToken: string };
beforeAll(async () => {
  service = await startService({ instances: 2 });
  const accessToken = await service.tokenFor({ id: 'usr_alice', roles: ['customer'] });
  asAlice = { deadlineMs: PATIENCE_MS, accessToken };
});
afterAll(() => service.stop());

const open = async (balance: bigint) => ({
  fromAccount: await openAccount(service, { balance }),
  toAccount: await openAccount(service, { ownerId: 'usr_bob' }),
});
const revokeAt = (instance: number, mandateId: string) =>
  service.mandates[instance]?.revokeMandate({ mandateId }, asAlice);

async function mandateNow(mandateId: string) {
  const { mandate } = (await service.mandates[0]?.getMandate({ mandateId }, asAlice)) ?? {};
  if (!mandate) throw new Error('no mandate');
  return mandate;
}

/** Decides like the service, and does something else once, after the accounts and the mandate were read and before anything is written. */
async function decideWith(meanwhile: () => Promise<unknown>, payment: ReturnType<typeof item>) {
  const db = openDatabase<Database>({ url: service.servingUrl, poolMax: 4 }, testLog);
  const rules = createRulesInForce(testLog);
  let isFirst = true;
  const interrupted: RulesInForce = {
    ...rules,
    async at(...given) {
      const found = await rules.at(...given);
      if (isFirst) {
        isFirst = false;
        await meanwhile();
      }
      return found;
    },
  };
  const deps = { db, rules: interrupted, now: () => new Date(), holdTtlMs: 60_000, log: testLog };
  const command = { request: toPaymentRequest(payment), deadline: undefined };
  const [result] = await decideBatch({ ...deps, patience: createLockPatience() }, [command]);
  await db.destroy();
  if (!result?.ok) throw new Error('no decision');
  return result.value.decision.code;
}

it('declines a collection if the mandate is revoked after it was read', async () => {
  const way = await open(1_000n);
  const { id } = await openMandate(service, { ...way });
  const payment = item({ ...way, callerId: 'usr_bob', mandateId: id });
  expect(await decideWith(async () => revokeAt(0, id), payment)).toBe('MANDATE_NOT_ACTIVE');
  expect((await accountOf(service, way.toAccount)).balance.postedMinor).toBe(0n);
});

it('declines a collection if another one uses up the limit after it was read', async () => {
  const way = await open(1_000n);
  const { id } = await openMandate(service, { ...way, dailyMinor: 100n });
  const [one, other] = times(2, () => item({ ...way, callerId: 'usr_bob', mandateId: id }));
  if (!one || !other) throw new Error('no payments');
  expect(await decideWith(() => service.authorize(other), one)).toBe('MANDATE_LIMIT_EXCEEDED');
  expect((await mandateNow(id)).usage?.dailyMinor).toBe(100n);
});

const RACES = 300;

it(`has one winner in each of ${RACES} races of a revocation and a collection`, async () => {
  const way = await open(BigInt(RACES) * 100n);
  const winners = { collection: 0, revocation: 0 };
  /** The later start of the collection, or of the revocation if negative. The winner of a race starts later in the next: so both win some, on any machine. */
  let collectionLaterMs = 0;
  for (const race of times(RACES, (n) => n)) {
    const { id } = await openMandate(service, { ...way });
    const payment = item({ ...way, callerId: 'usr_bob', mandateId: id });
    const [answers, revoked] = await Promise.all([
      setTimeout(Math.max(0, collectionLaterMs)).then(() => service.authorizeAt(race % 2, payment)),
      setTimeout(Math.max(0, -collectionLaterMs)).then(() => revokeAt((race >> 1) % 2, id)),
    ]);
    const decision = answers[0]?.decision;
    if (!decision || !revoked?.mandate?.revokedAt) throw new Error('no decision, or no revocation');
    const isCollected = decision.code === '';
    expect(['', 'MANDATE_NOT_ACTIVE']).toContain(decision.code);
    winners[isCollected ? 'collection' : 'revocation'] += 1;
    collectionLaterMs += isCollected ? 1 : -1;
    // The mandate counts exactly what was moved, and nothing is collected afterwards.
    const { usage, state } = await mandateNow(id);
    expect([usage?.dailyMinor, state]).toEqual([isCollected ? 100n : 0n, MandateState.REVOKED]);
    const [late] = await service.authorize({
      ...payment,
      paymentId: newId('pay'),
      operationId: newId('pay'),
    });
    expect(late?.decision?.code).toBe('MANDATE_NOT_ACTIVE');
  }
  const { balance } = await accountOf(service, way.toAccount);
  expect(balance.postedMinor).toBe(BigInt(winners.collection) * 100n);
  // Both sides win some races, or this test has not raced.
  expect(Math.min(...Object.values(winners))).toBeGreaterThan(0);
  await expectBooksToBalance(service);
});

it.each([CaptureMode.AUTOMATIC, CaptureMode.MANUAL])(
  'approves as many of 100 collections at once as the daily limit allows (capture mode %i)',
  async (captureMode) => {
    const way = await open(100_000n);
    const { id } = await openMandate(service, { ...way, dailyMinor: 1_050n });
    const payments = times(100, () => item({ ...way, callerId: 'usr_bob', mandateId: id, captureMode }));
    const own = times(20, () => item(way));
    const answers = await Promise.all([
      ...payments.map((payment, n) => service.authorizeAt(n % 2, payment)),
      ...own.map((payment, n) => service.authorizeAt(n % 2, payment)),
    ]);
    const codes = answers.flat().map(({ decision }) => decision?.code);
    expect(codes.slice(0, 100).filter((code) => code === '')).toHaveLength(10);
    expect(codes.slice(0, 100).filter((code) => code === 'MANDATE_LIMIT_EXCEEDED')).toHaveLength(90);
    // Payments by the payer use no mandate.
    expect(codes.slice(100)).toEqual(times(20, () => ''));
    expect((await mandateNow(id)).usage?.dailyMinor).toBe(1_000n);
    await expectBooksToBalance(service);
  },
);

it('stops a stream of collections at one point: nothing is collected after the response to the revocation', async () => {
  const way = await open(1_000_000n);
  const { id } = await openMandate(service, { ...way });
  let isRevoked = false;
  const collector = async (instance: number) => {
    const collected: { code: string; startedAfter: boolean }[] = [];
    for (let n = 0; n < 60; n += 1) {
      const startedAfter = isRevoked;
      const payment = item({ ...way, callerId: 'usr_bob', mandateId: id });
      const [answer] = await service.authorizeAt(instance, payment);
      collected.push({ code: answer?.decision?.code ?? 'error', startedAfter });
    }
    return collected;
  };
  const collecting = Promise.all([0, 1, 0, 1].map(collector));
  await revokeAt(0, id);
  isRevoked = true;
  const all = (await collecting).flat();
  const late = all.filter(({ startedAfter }) => startedAfter);
  expect(late.length).toBeGreaterThan(0);
  expect(new Set(late.map(({ code }) => code))).toEqual(new Set(['MANDATE_NOT_ACTIVE']));
  const approved = all.filter(({ code }) => code === '').length;
  expect((await mandateNow(id)).usage?.dailyMinor).toBe(BigInt(approved) * 100n);
});

it('neither loses nor doubles use if releases, collections and revocations race', async () => {
  const way = await open(1_000_000n);
  const { id } = await openMandate(service, { ...way, dailyMinor: 5_000n });
  const held = times(50, () =>
    item({ ...way, callerId: 'usr_bob', mandateId: id, captureMode: CaptureMode.MANUAL }),
  );
  await service.authorize(...held);
  const [released, kept] = [held.slice(0, 40), held.slice(40)];
  const [answers] = await Promise.all([
    Promise.all(
      times(60, (n) => service.authorizeAt(n % 2, item({ ...way, callerId: 'usr_bob', mandateId: id }))),
    ),
    Promise.all(released.map(({ paymentId }) => service.release(cancelOf(paymentId)))),
  ]);
  const approved = answers.flat().filter(({ decision }) => decision?.code === '').length;
  const expected = BigInt(kept.length + approved) * 100n;
  expect((await mandateNow(id)).usage).toEqual({ dailyMinor: expected, monthlyMinor: expected });
  expect(expected).toBeLessThanOrEqual(5_000n);
  await expectBooksToBalance(service);
});
