/** The decisions that authorization needs to restore its database. */
import { DecidedStep, Decision } from '@payflowx/proto/authorization';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exportDecisions } from '../src/app/export-decisions.ts';
import { openMandate } from './collections.ts';
import { lifecycleOf } from './lifecycle.ts';
import { type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());

async function exported(from?: Date) {
  const steps: { request: NonNullable<DecidedStep['request']>; decision: Decision }[] = [];
  for await (const some of exportDecisions(platform.db, from)) {
    for (const bytes of some) {
      const { request, decision } = DecidedStep.decode(bytes);
      if (!request) throw new Error('no request');
      steps.push({ request, decision: Decision.decode(decision) });
    }
  }
  return steps;
}

/** The fields of a request that its decision depends on. Deadlines and traces are of one attempt. */
const asked = ({ value }: { value: object }) => ({ ...value, deadline: undefined, traceparent: '' });

it('every decision is written with the request that authorization got', async () => {
  const { authorization } = platform;
  const texts = { description: 'é', reference: 'r', metadata: { 10: 'a', b: 'ü', 2: '' } };
  const { id } = await life.hold({ ...texts, holdSeconds: 120 });
  await life.capture(id, { amountMinor: 300n });
  await life.refund(id, { amountMinor: 100n });
  await life.capture(id, {});
  await life.refund(id, {});
  await life.cancel((await life.hold()).id);
  await (await openMandate(platform)).collect(texts);

  const steps = await exported();
  const sent = [
    ...authorization.asked.map((value) => asked({ value })),
    ...authorization.steps.map(({ request: value }) => asked({ value })),
  ];
  // A call that was repeated asked twice.
  const unique = (requests: object[]) => [...new Set(requests.map(text))].sort();
  expect(unique(steps.map(({ request }) => asked(request)))).toEqual(unique(sent));
  for (const { decision } of steps) expect(decision.decidedAt).toBeInstanceOf(Date);
  const { rows } = await sql<{ decision: Buffer }>`
    select decision from payments where id = ${id}`.execute(platform.db);
  const own = steps.find(({ request }) => request.$case === 'authorize' && request.value.paymentId === id);
  expect(own?.decision).toEqual(Decision.decode(rows[0]?.decision ?? Buffer.of()));
});

const text = (value: object) =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}` : each));

it('payments that have not changed since a time are left out', async () => {
  const from = new Date(Date.now() + 1);
  expect(await exported(new Date(Date.now() + 120_000))).toEqual([]);
  const { id } = await life.pay();
  const ids = (await exported(from)).map(({ request }) => request.value.paymentId);
  expect(ids).toContain(id);
  expect(ids.length).toBeLessThan((await exported()).length);
});
