/** Webhooks after a loss: docs/operators/recovery/servers.md and databases.md. */
import { afterEach, expect, it } from 'vitest';
import { loseData } from '../src/losses.ts';
import { copyDatabase, inDatabase } from '../src/past-databases.ts';
import { eventually, people } from '../src/platform.ts';
import { stopService } from '../src/processes.ts';
import { republish } from '../src/republish.ts';
import { type Receiver, receiveWebhooks } from '../src/webhook-receiver.ts';
import { expectAllSettled, payAll, prepare, type Workload } from '../src/workload.ts';

const who = people();
let receiver: Receiver | undefined;
const starts: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const start of starts.splice(0)) await start();
  await receiver?.close();
});

/** Bob gets an event of each payment that he receives. */
const idsIn = (received: Receiver['received'], ids: readonly string[]) =>
  received
    .filter((event) => 'payment' in event.data && ids.includes(event.data.payment.id))
    .map(({ id }) => id);

const untilReceived = (received: Receiver['received'], ids: readonly string[], count: number) =>
  eventually(async () => expect(idsIn(received, ids)).toHaveLength(count));

async function pay(workload: Workload): Promise<string[]> {
  const ids = await payAll(who, workload);
  await eventually(async () => expect(new Set(ids).size).toBe(workload.keys.length));
  return ids;
}

it('messages that RabbitMQ lost reach the webhooks from the events that payment publishes again, each once', async () => {
  receiver = await receiveWebhooks(who.bob);
  const { received } = receiver;
  const workload = await prepare(who, 5);
  const from = new Date().toISOString();
  starts.push(await stopService('notification'));
  const ids = await pay(workload);
  await loseData('rabbitmq');
  for (const start of starts.splice(0)) await start();
  expect(idsIn(received, ids)).toEqual([]);
  const again = () => republish('--from', from, '--destination', 'payment-notifications', '--run');
  await again();
  await untilReceived(received, ids, 5);
  await again();
  const next = await prepare(who, 1);
  const [last = ''] = await pay(next);
  await untilReceived(received, [last], 1);
  expect(new Set(idsIn(received, ids)).size).toBe(5);
  await expectAllSettled(who, workload, ids);
  expect(idsIn(received, ids)).toHaveLength(5);
});

it('after the loss of its database, notification sends the webhooks of the lost time again, with the same ids', async () => {
  receiver = await receiveWebhooks(who.bob);
  const { received } = receiver;
  const workload = await prepare(who, 5);
  const past = await copyDatabase('notification');
  const from = new Date().toISOString();
  const ids = await pay(workload);
  await untilReceived(received, ids, 5);
  const start = await past.restore();
  await start();
  await republish('--from', from, '--destination', 'payment-notifications', '--run');
  await untilReceived(received, ids, 10);
  expect(new Set(idsIn(received, ids)).size).toBe(5);
  await expectAllSettled(who, workload, ids);
});

it('deliveries that were truncated by hand are made again, if their events are truncated too', async () => {
  receiver = await receiveWebhooks(who.bob);
  const { received } = receiver;
  const workload = await prepare(who, 3);
  const from = new Date().toISOString();
  const ids = await pay(workload);
  await untilReceived(received, ids, 3);
  await inDatabase('notification', 'truncate events, webhook_deliveries cascade');
  await republish('--from', from, '--destination', 'payment-notifications', '--run');
  await untilReceived(received, ids, 6);
  expect(new Set(idsIn(received, ids)).size).toBe(3);
  await expectAllSettled(who, workload, ids);
});
