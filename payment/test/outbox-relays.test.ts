import { randomUUID } from 'node:crypto';
import { consumeQueue } from '@payflowx/chassis/rabbit';
import { createTestTopics, eventually, readTestTopic, testLog, testServers } from '@payflowx/chassis/testing';
import { Decision } from '@payflowx/proto/authorization';
import { PaymentEvent } from '@payflowx/proto/payment';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOutboxRelays } from '../src/outbox-relays.ts';
import { CALL, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
const stops: (() => unknown)[] = [];
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  await platform?.stop();
});

it('events of a payment reach the topic and the queue, once each, as CloudEvents', async () => {
  const { topic, drop } = await createTestTopics('payment');
  stops.push(drop);
  const queue = `test-payment-${randomUUID()}`;
  const settings = {
    postgres: { url: platform.databaseUrl },
    kafka: testServers.kafka(),
    eventsTopic: topic,
    rabbit: testServers.rabbit(),
    notificationsQueue: queue,
    instanceId: 'test',
  };
  const relays = startOutboxRelays(settings, testLog);
  stops.push(() => relays.stop());

  const call = { ...CALL, accessToken: await platform.tokenOf(platform.customer) };
  const { payment } = await platform.client.createPayment(await platform.newRequest(), call);

  const [initiated, completed] = await readTestTopic(topic, 2);
  expect(initiated?.headers).toMatchObject({ ce_type: 'payment.initiated', ce_source: '/payflowx/payment' });
  expect(completed?.headers).toMatchObject({ ce_type: 'payment.completed', ce_subject: payment?.id });
  const event = PaymentEvent.decode(completed?.payload ?? Buffer.of());
  expect(event.payment).toEqual({ ...payment, decision: undefined });

  const notified: PaymentEvent[] = [];
  const consumer = await consumeQueue(
    { ...testServers.rabbit(), queue },
    {
      decode: ({ payload }) => PaymentEvent.decode(payload),
      apply: async (events) => void notified.push(...events),
    },
    testLog,
  );
  stops.push(() => consumer.stop());
  await eventually(() => expect(notified).toHaveLength(1));
  const [{ decision, requesterId, ...shared }] = notified as [PaymentEvent];
  expect({ ...event, ...shared }).toEqual(event);
  expect(Decision.decode(decision).decidedAt).toEqual(payment?.decision?.decidedAt);
  expect(requesterId).toBe(platform.customer.id);
});
