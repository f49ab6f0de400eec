/** One service's database goes back in time while the others go on: docs/operators/recovery/databases.md. */
import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { copyDatabase, selectIn } from '../src/past-databases.ts';
import { accountOf, eventually, openAccount, people, provenLedger, reconciled } from '../src/platform.ts';
import { runIn } from '../src/processes.ts';
import { republish } from '../src/republish.ts';
import { expectStatus } from '../src/rest.ts';
import { CAPTURED_HOLD, captureAll, expectAllSettled, holdAll, payAll, prepare } from '../src/workload.ts';

const who = people();

async function expectAgreement() {
  await provenLedger(who.auditor);
  await reconciled(who.operator);
}

/** Pays and captures. Returns a check that all of it is settled, exactly once, in every service. */
async function pay() {
  const workloads = [await prepare(who, 10), await prepare(who, 5)] as const;
  const paid = await payAll(who, workloads[0]);
  const held = await holdAll(who, workloads[1]);
  await captureAll(who, workloads[1], held);
  return async () => {
    await expectAllSettled(who, workloads[0], paid);
    await expectAllSettled(who, workloads[1], held, CAPTURED_HOLD);
    await expectAgreement();
  };
}

it.each(['ledger', 'analytics'] as const)('%s takes what it lost from the topic', async (service) => {
  const past = await copyDatabase(service);
  const expectSettled = await pay();
  await expectSettled();
  const start = await past.restore();
  await runIn(service, 'node', 'src/rebuild.ts');
  await start();
  await expectSettled();
});

it('notification takes what it lost from the events that payment publishes again', async () => {
  const past = await copyDatabase('notification');
  const from = new Date().toISOString();
  const { id, version } = (await who.operator.get(`/v1/users/${who.bob.user.id}`)).body;
  const language = `de-${randomInt(100, 1_000)}`;
  const headers = { 'if-match': `"${version}"` };
  expectStatus(await who.operator.send('PATCH', `/v1/users/${id}`, { language }, { headers }), 200);
  const knownTo = () => selectIn('notification', `select language from contacts where user_id = '${id}'`);
  await eventually(async () => expect(await knownTo()).toEqual([{ language }]));
  const expectSettled = await pay();
  await expectSettled();
  const start = await past.restore();
  expect(await knownTo()).not.toEqual([{ language }]);
  await start();
  // Before the events: their mails need the addresses.
  await runIn('auth', 'node', 'src/announce-contacts.ts', '--run');
  await eventually(async () => expect(await knownTo()).toEqual([{ language }]));
  await republish('--from', from, '--destination', 'payment-notifications', '--run');
  await expectSettled();
});

it('payment restores what it lost from the topic, its keys replay as before, and recovery finishes it', async () => {
  const past = await copyDatabase('payment');
  const lost = await prepare(who, 10);
  const paid = await payAll(who, lost);
  const held = await prepare(who, 5);
  const captured = await holdAll(who, held);
  await captureAll(who, held, captured);
  await expectAllSettled(who, lost, paid);

  const start = await past.restore();
  expect(await runIn('payment', 'node', 'src/restore.ts')).toContain('would be restored');
  const outcome = await runIn('payment', 'node', 'src/restore.ts', '--run');
  // The deposits, the payments and the holds; the captures.
  expect(outcome).toContain('17 payments and 5 operations restored');
  expect(await runIn('payment', 'node', 'src/restore.ts', '--run')).toContain('0 payments and 0 operations');
  await start();
  // The same keys again: the same payments, not paid twice.
  expect(await payAll(who, lost)).toEqual(paid);
  await captureAll(who, held, captured);
  await expectAllSettled(who, lost, paid);
  await expectAllSettled(who, held, captured, CAPTURED_HOLD);
  await expectAgreement();
});

it('authorization restores what it lost from the decisions that payment stored, and money is spent from the same balances', async () => {
  const lost = await prepare(who, 10);
  const held = await prepare(who, 5);
  const open = await prepare(who, 2);
  const past = await copyDatabase('authorization');
  const paid = await payAll(who, lost);
  const captured = await holdAll(who, held);
  await captureAll(who, held, captured);
  const stillHeld = await holdAll(who, open);
  // An account of the lost time, and a payment that was declined in it.
  const opened = await openAccount(who.operator, who.bob.user, 70);
  const tooMuch = { from_account: lost.from.id, to_account: lost.to.id, amount: 1_000_000, currency: 'EUR' };
  await expect(who.alice.api.post('/v1/payments', { body: tooMuch })).rejects.toMatchObject({ status: 402 });
  await expectAllSettled(who, lost, paid);

  const folder = mkdtempSync(join(tmpdir(), 'payflowx-decisions-'));
  const file = join(folder, 'decisions');
  const restore = (...options: string[]) =>
    runIn('authorization', 'node', 'src/restore.ts', file, ...options);
  try {
    const start = await past.restore();
    writeFileSync(file, await runIn('payment', 'node', 'src/export-decisions.ts'), { mode: 0o600 });
    expect(await restore()).toContain('would be restored');
    const outcome = await restore('--run');
    // Payments, holds and captures, two open holds, the deposit, and the decline.
    expect(outcome).toContain('24 decisions restored');
    expect(outcome).toContain(`their state and limits are lost: ${opened.id}`);
    expect(await restore('--run')).toContain('0 decisions restored');
    await start();
  } finally {
    rmSync(folder, { recursive: true });
  }
  await expectAllSettled(who, lost, paid);
  await expectAllSettled(who, held, captured, CAPTURED_HOLD);
  // The restored holds are captured, and the restored account pays once it is unfrozen.
  await captureAll(who, open, stillHeld);
  await expectAllSettled(who, open, stillHeld, CAPTURED_HOLD);
  const account = await accountOf(who.operator, opened.id);
  expect(account).toMatchObject({ status: 'FROZEN', balance: { posted: 70 } });
  await who.operator.api.post('/v1/accounts/{id}/unfreeze', {
    params: { path: { id: opened.id } },
    body: { reason: 'drill' },
  });
  const body = { from_account: opened.id, to_account: lost.to.id, amount: 70, currency: 'EUR' };
  expect((await who.bob.api.post('/v1/payments', { body })).data.state).toBe('COMPLETED');
  await expectAgreement();
});

it('auth goes back: users of the lost time are gone, all others log in again, and money is untouched', async () => {
  const past = await copyDatabase('auth');
  const lost = await who.operator.api.post('/v1/users', {
    body: { username: `lost-${randomUUID().slice(0, 8)}`, password: randomUUID(), roles: ['customer'] },
  });
  const workload = await prepare(who, 5);
  const paid = await payAll(who, workload);
  const start = await past.restore();
  await start();
  // Sessions of before the loss may have refresh tokens that this database does not know.
  const again = people();
  await eventually(() => expectAllSettled(again, workload, paid));
  await expect(
    again.operator.api.get('/v1/users/{id}', { params: { path: { id: lost.data.id } } }),
  ).rejects.toMatchObject({ status: 404 });
  const next = await prepare(again, 3);
  await expectAllSettled(again, next, await payAll(again, next));
  await expectAgreement();
});
