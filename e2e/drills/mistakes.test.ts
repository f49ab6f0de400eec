/** Mistakes of people: docs/operators/recovery/mistakes.md */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { moveToSmallDisk } from '../src/full-disk.ts';
import { asKafkaAdmin } from '../src/kafka-admin.ts';
import { inDatabase } from '../src/past-databases.ts';
import { eventually, people, provenLedger, reconciled } from '../src/platform.ts';
import { runIn, startPlatform, startServers, stopService, takeBackup } from '../src/processes.ts';
import { republish } from '../src/republish.ts';
import { reflectedRpcs } from '../src/rpc.ts';
import { CAPTURED_HOLD, captureAll, expectAllSettled, holdAll, payAll, prepare } from '../src/workload.ts';

const who = people();
const local = fileURLToPath(new URL('../../.local/', import.meta.url));
let rpcs: Awaited<ReturnType<typeof reflectedRpcs>>;
beforeAll(async () => {
  rpcs = await reflectedRpcs();
});

async function expectAgreement() {
  await provenLedger(who.auditor);
  await reconciled(who.operator);
}

async function recoveryStatus() {
  const rpc = rpcs.get('payflowx.payment.v1.PaymentService/GetRecoveryStatus');
  const { response } = (await rpc?.call({}, await who.operator.api.accessToken())) ?? {};
  return response;
}

async function untilPublished(): Promise<void> {
  await eventually(async () => {
    const { outbox } = await recoveryStatus();
    expect(outbox).toHaveLength(2);
    for (const { waiting_count } of outbox) expect(Number(waiting_count)).toBe(0);
  });
}

/** Pays while ledger and analytics are stopped. Returns a function that starts them, and checks that they know of it. */
async function payUnseen() {
  const workload = await prepare(who, 10);
  const starts = [await stopService('ledger'), await stopService('analytics')];
  const ids = await payAll(who, workload);
  await untilPublished();
  return {
    start: () => Promise.all(starts.map((start) => start())),
    expectSettled: () => expectAllSettled(who, workload, ids),
  };
}

it('the topic is deleted: it is created again, and all events are published again', async () => {
  const { start, expectSettled } = await payUnseen();
  await asKafkaAdmin((admin) => admin.deleteTopics({ topics: ['payment-events'] }));
  await startServers();
  await start();
  await republish('--all', '--run');
  await expectSettled();
  const next = await prepare(who, 3);
  await expectAllSettled(who, next, await payAll(who, next));
  await expectAgreement();
});

it.each([
  { to: 'the start of the topic', earliest: true },
  { to: 'the end of the topic', earliest: false },
])(
  'consumer groups are reset to $to: nothing is counted twice, and a rebuild finds what was passed over',
  async ({ earliest }) => {
    const { start, expectSettled } = await payUnseen();
    await asKafkaAdmin(async (admin) => {
      for (const groupId of ['ledger', 'analytics'])
        await eventually(() => admin.resetOffsets({ groupId, topic: 'payment-events', earliest }));
    });
    await start();
    if (!earliest)
      for (const service of ['ledger', 'analytics']) await runIn(service, 'node', 'src/rebuild.ts');
    await expectSettled();
    await expectAgreement();
  },
);

it('tables of money, keys and users cannot be truncated; totals that were truncated are counted again', async () => {
  const workload = await prepare(who, 5);
  const ids = await payAll(who, workload);
  await expectAllSettled(who, workload, ids);
  await expect(inDatabase('ledger', 'truncate postings')).rejects.toThrow('the journal is append-only');
  await expect(inDatabase('authorization', 'truncate decisions')).rejects.toThrow('append-only');
  const kept = {
    payment: ['payments', 'operations', 'idempotency_keys', 'outbox'],
    authorization: ['accounts', 'balances', 'holds', 'account_requests'],
    auth: ['users', 'signing_keys'],
    notification: ['webhook_endpoints', 'notification_preferences'],
  };
  for (const [service, tables] of Object.entries(kept))
    for (const table of tables)
      await expect(inDatabase(service, `truncate ${table} cascade`)).rejects.toThrow('is refused');
  await inDatabase('analytics', 'truncate account_totals, daily_totals');
  await runIn('analytics', 'node', 'src/rebuild.ts');
  await expectAllSettled(who, workload, ids);
});

it('reconciliation names the accounts of lost events, and publishing them again heals it', async () => {
  const workload = await prepare(who, 3);
  const ids = await payAll(who, workload);
  await expectAllSettled(who, workload, ids);
  const [lost = ''] = ids;
  await inDatabase('notification', `delete from events where payment_id = '${lost}'`);
  const { data: report } = await who.operator.api.post('/v1/ledger/reconciliations', { body: {} });
  expect(report.holds).toBe(false);
  const { data: payment } = await who.alice.api.get('/v1/payments/{id}', { params: { path: { id: lost } } });
  const found = report.differences.filter(({ figure }) => figure === 'missing_events');
  expect(found.map(({ account_id }) => account_id).toSorted()).toEqual(
    [payment.from_account, payment.to_account].toSorted(),
  );
  await republish('--payment', lost, '--destination', 'payment-notifications', '--run');
  await reconciled(who.operator);
});

it('notifications and their events are truncated: payment publishes them again', async () => {
  const workload = await prepare(who, 5);
  const ids = await payAll(who, workload);
  await expectAllSettled(who, workload, ids);
  await inDatabase('notification', 'truncate notifications, events cascade');
  await republish('--all', '--destination', 'payment-notifications', '--run');
  await expectAllSettled(who, workload, ids);
  await expectAgreement();
});

it('events are deleted from the outbox by hand: they are published again', async () => {
  const workload = await prepare(who, 5);
  const from = new Date().toISOString();
  // Nothing leaves the outbox while both brokers are stopped.
  const starts = [await stopService('kafka'), await stopService('rabbitmq')];
  const ids = await payAll(who, workload);
  await inDatabase('payment', 'delete from outbox');
  for (const start of starts) await start();
  await republish('--from', from, '--run');
  await expectAllSettled(who, workload, ids);
  await expectAgreement();
});

it('the secrets file is lost: nothing starts with new secrets, and the file of the backup brings all back', async () => {
  await takeBackup();
  const file = join(local, 'secrets.json');
  const secrets = readFileSync(file, 'utf8');
  renameSync(file, `${file}.lost`);
  await expect(startPlatform()).rejects.toMatchObject({
    stderr: expect.stringContaining('there are databases that need it'),
  });
  const bases = join(local, 'postgres/backup/base');
  const newest = readdirSync(bases).sort().at(-1) ?? '';
  const encrypted = join(bases, newest, 'secrets.json.age');
  const found = execFileSync('age', ['-d', '-i', join(local, 'backup-key.txt'), encrypted], {
    encoding: 'utf8',
  });
  expect(found).toBe(secrets);
  writeFileSync(file, found, { mode: 0o600 });
  await startPlatform();
  const workload = await prepare(who, 3);
  await expectAllSettled(who, workload, await payAll(who, workload));
});

it('a rule declines everything: payments go on with the next decision after it is switched off', async () => {
  const { operator, alice } = who;
  const workload = await prepare(who, 3);
  const { data: rule } = await operator.api.post('/v1/rules', {
    body: { name: `all-${Date.now()}`, expression: 'payment.amount >= 0', action: 'decline' },
  });
  const body = { from_account: workload.from.id, to_account: workload.to.id, amount: 10, currency: 'EUR' };
  const key = workload.keys[0] ?? '';
  const declined = { status: 402, code: 'RULE_DECLINED' };
  await expect(alice.api.post('/v1/payments', { body, key })).rejects.toMatchObject(declined);
  await operator.api.patch('/v1/rules/{id}', {
    params: { path: { id: rule.id }, header: { 'if-match': `"${rule.version}"` } },
    body: { enabled: false },
  });
  // The declined payment stays declined. New keys are needed.
  await expect(alice.api.post('/v1/payments', { body, key })).rejects.toMatchObject(declined);
  workload.keys[0] = `${key}-again`;
  await expectAllSettled(who, workload, await payAll(who, workload));
  await expectAgreement();
});

const HOUR_MS = 3_600_000;

it.each([
  { off: 'an hour ahead', shiftMs: HOUR_MS },
  { off: 'an hour behind', shiftMs: -HOUR_MS },
])(
  'the clock of authorization is $off: payments go on, the status names it, and the books agree afterwards',
  async ({ shiftMs }) => {
    const workloads = [await prepare(who, 5), await prepare(who, 5), await prepare(who, 3)] as const;
    const clock = fileURLToPath(new URL('../src/shifted-clock.mjs', import.meta.url));
    // Authorization takes the operator's token for expired or for one of the future, so `make up` reports it: it cannot look at its accounts.
    const started = startPlatform({
      AUTHORIZATION__NODE_OPTIONS: `--import=${clock}`,
      AUTHORIZATION__SHIFT_MS: String(shiftMs),
    });
    await expect(started).rejects.toMatchObject({ stderr: expect.stringContaining('401') });
    const paid = await payAll(who, workloads[0]);
    const held = await holdAll(who, workloads[1]);
    await eventually(async () => {
      const { clock_ahead_ms } = await recoveryStatus();
      expect(Math.abs(Number(clock_ahead_ms))).toBeGreaterThan(HOUR_MS / 2);
    });
    await startPlatform();
    await captureAll(who, workloads[1], held);
    await expectAllSettled(who, workloads[0], paid);
    await expectAllSettled(who, workloads[1], held, CAPTURED_HOLD);
    await expectAllSettled(who, workloads[2], await payAll(who, workloads[2]));
    await expectAgreement();
  },
);

it.runIf(process.getuid?.() === 0)(
  'the disk of PostgreSQL is full: nothing is half done, and payments go on when there is space',
  async () => {
    const workload = await prepare(who, 20);
    const disk = await moveToSmallDisk(40);
    try {
      await expectAgreement();
      disk.fill();
      let isPaid = false;
      const paying = payAll(who, workload).finally(() => {
        isPaid = true;
      });
      paying.catch(() => undefined);
      // Large texts fill the pages that are left.
      await eventually(
        async () => {
          const { from, to } = workload;
          const body = { from_account: from.id, to_account: to.id, amount: 1_000_000, currency: 'EUR' };
          const description = 'x'.repeat(500);
          await expect(
            who.alice.api.post('/v1/payments', { body: { ...body, description } }),
          ).rejects.toMatchObject({
            status: 503,
          });
        },
        { withinMs: 120_000, everyMs: 1 },
      );
      disk.free();
      await expectAllSettled(who, workload, await paying);
      expect(isPaid).toBe(true);
      await expectAgreement();
    } finally {
      await disk.end();
    }
    await expectAgreement();
  },
);
