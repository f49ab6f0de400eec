import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { type RabbitConnection, rabbitConfig } from '@payflowx/chassis';
import { connectRabbitPublisher } from '@payflowx/chassis/rabbit';
import { testLog } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { readAddresses } from './start.ts';

const { rabbitmq: clients } = await readAddresses();
const { RABBITMQ_URL = '', RABBITMQ_CA_FILE = '' } = clients.payment;
const test = it.runIf(RABBITMQ_URL.startsWith('amqps://payflowx_payment:'));
const ca = () => ({ ca: readFileSync(RABBITMQ_CA_FILE, 'utf8') });

const as = (user: keyof typeof clients) => {
  const { RABBITMQ_URL = '', RABBITMQ_CA_FILE = '' } = clients[user];
  return rabbitConfig({ RABBITMQ_URL, RABBITMQ_CA_FILE });
};

function urlWith(changes: Partial<Pick<URL, 'protocol' | 'username' | 'password' | 'pathname'>>): string {
  return Object.assign(new URL(RABBITMQ_URL), changes).href;
}

/** Declares a queue, and sends nothing to it. Returns the refusal of the broker. */
async function refusalOf(connection: RabbitConnection, queue: string): Promise<string> {
  const publisher = await connectRabbitPublisher({ ...connection, queue }, testLog);
  try {
    await publisher.publish([]);
    return 'not refused';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await publisher.close();
  }
}

test('does not answer without TLS', async () => {
  const bytes = await new Promise<number>((resolve) => {
    let received = 0;
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(RABBITMQ_URL).port) });
    socket.on('connect', () => socket.write('AMQP\0\0\u0009\u0001'));
    // A TLS alert has the type 21.
    socket.on('data', (chunk) => (received += chunk[0] === 21 ? 0 : chunk.length));
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
  expect(bytes).toBe(0);
});

test('refuses the user guest, and a wrong password', async () => {
  const guest = urlWith({ username: 'guest', password: 'guest' });
  expect(await refusalOf({ url: guest, tls: ca() }, 'payment-notifications')).toMatch(/ACCESS_REFUSED|403/);
  const wrong = urlWith({ password: 'wrong' });
  expect(await refusalOf({ url: wrong, tls: ca() }, 'payment-notifications')).toMatch(/ACCESS_REFUSED|403/);
});

test('is refused by a client that does not trust its authority', async () => {
  expect(await refusalOf({ url: RABBITMQ_URL, tls: {} }, 'payment-notifications')).toMatch(/certificate/);
});

test.each(['payment', 'notification'] as const)(
  'lets %s use the queues of notifications only',
  async (user) => {
    expect(await refusalOf(as(user), 'another-queue')).toMatch(/ACCESS_REFUSED|403/);
    expect(await refusalOf(as(user), 'payment-notifications')).toBe('not refused');
  },
);
