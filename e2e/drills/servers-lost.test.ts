/** The data of Kafka, RabbitMQ and Consul is lost while the services run: docs/operators/recovery/servers.md. */
import { afterEach, beforeAll, expect, it } from 'vitest';
import { loseData } from '../src/losses.ts';
import { eventually, people, provenLedger, reconciled } from '../src/platform.ts';
import { restartProcess, stopService } from '../src/processes.ts';
import { republish } from '../src/republish.ts';
import { reflectedRpcs } from '../src/rpc.ts';
import { expectAllSettled, payAll, prepare } from '../src/workload.ts';

const who = people();
const starts: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const start of starts.splice(0)) await start();
});

/** Pays while these services are stopped, until payment has published all of it. */
async function payUnseenBy(...services: string[]) {
  const workload = await prepare(who, 20);
  for (const service of services) starts.push(await stopService(service));
  const ids = await payAll(who, workload);
  await untilPublished();
  return { workload, ids };
}

/** Learnt before services are stopped. */
let rpcs: Awaited<ReturnType<typeof reflectedRpcs>>;
beforeAll(async () => {
  rpcs = await reflectedRpcs();
});

async function untilPublished(): Promise<void> {
  const status = rpcs.get('payflowx.payment.v1.PaymentService/GetRecoveryStatus');
  await eventually(async () => {
    const { response } = (await status?.call({}, await who.operator.api.accessToken())) ?? {};
    expect(response?.outbox).toHaveLength(2);
    for (const { waiting_count } of response?.outbox ?? []) expect(Number(waiting_count)).toBe(0);
  });
}

it('Kafka: events that no service has consumed are published again, and the proof holds', async () => {
  const { workload, ids } = await payUnseenBy('ledger', 'analytics');
  await loseData('kafka');
  for (const start of starts.splice(0)) await start();
  expect(await republish('--all')).toContain('would be published again');
  expect(await republish('--all', '--run')).toMatch(/published again$/);
  await expectAllSettled(who, workload, ids);
  // The topic is complete again: a rebuild from it changes nothing.
  await provenLedger(who.auditor);
  await reconciled(who.operator);
});

it('RabbitMQ: messages that notification has not consumed are published again, and the services agree', async () => {
  const from = new Date().toISOString();
  const { workload, ids } = await payUnseenBy('notification');
  await loseData('rabbitmq');
  for (const start of starts.splice(0)) await start();
  await republish('--from', from, '--destination', 'payment-notifications', '--run');
  await expectAllSettled(who, workload, ids);
  await reconciled(who.operator);
});

it('Consul: services register again, and restarted ones are found', async () => {
  await loseData('consul');
  for (const service of ['authorization', 'payment']) await restartProcess(service);
  const workload = await prepare(who, 5);
  await expectAllSettled(who, workload, await payAll(who, workload));
  await reconciled(who.operator);
});
