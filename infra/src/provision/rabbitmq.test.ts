import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { rascalConfig } from '../../../chassis/src/messaging/rabbit/publisher.ts';
import { rabbitDefinitions, rabbitUrls } from './rabbitmq.ts';

const secret = (name: string) => `password of ${name}`;
const { users, permissions } = JSON.parse(rabbitDefinitions(secret)) as {
  users: { name: string; password_hash: string; tags: string }[];
  permissions: { user: string; vhost: string; configure: string; write: string; read: string }[];
};

it('gives each service its own user, who is no administrator and may only use the queues of its service', () => {
  for (const name of ['payflowx_auth', 'payflowx_payment', 'payflowx_notification']) {
    expect(users.find((user) => user.name === name)?.tags).toBe('');
    const [own, ...others] = permissions.filter(({ user }) => user === name);
    expect(others).toEqual([]);
    expect(own?.vhost).toBe('payflowx');
    for (const pattern of [own?.configure, own?.write, own?.read]) {
      expect('another-queue').not.toMatch(new RegExp(pattern ?? ''));
    }
  }
  const [tests] = permissions.filter(({ user }) => user === 'payflowx_tests');
  expect(tests?.vhost).toBe('payflowx_tests');
});

it('lets a publisher use the exchange of its queue only, and only notification the default exchange', () => {
  const matches = (user: string, name: string) =>
    new RegExp(permissions.find((each) => each.user === user)?.write ?? '').test(name);
  const names = ['payment-notifications', 'identity-notifications', 'amq.default'];
  expect(names.filter((name) => matches('payflowx_payment', name))).toEqual(['payment-notifications']);
  expect(names.filter((name) => matches('payflowx_auth', name))).toEqual(['identity-notifications']);
  expect(names.filter((name) => matches('payflowx_notification', name))).toEqual(names);
});

it('defines the queues and exchanges that the services declare', () => {
  const { queues, exchanges, bindings } = JSON.parse(rabbitDefinitions(secret)) as {
    queues: { name: string; durable: boolean; arguments: object }[];
    exchanges: { name: string; type: string; durable: boolean }[];
    bindings: { source: string; destination: string; routing_key: string }[];
  };
  const declared = ['payment-notifications', 'identity-notifications'].map(
    (queue) => rascalConfig({ url: 'amqp://127.0.0.1', queue }).vhosts['/'] ?? {},
  );
  const all = <T>(objects: (Record<string, T> | undefined)[]) =>
    objects.flatMap((each) => Object.entries(each ?? {})).map(([name, value]) => ({ name, ...value }));
  expect(
    queues.map(({ name, durable, arguments: args }) => ({ name, options: { durable, arguments: args } })),
  ).toEqual(all(declared.map((each) => each.queues)));
  expect(exchanges.map(({ name, type, durable }) => ({ name, type, options: { durable } }))).toEqual(
    all(declared.map((each) => each.exchanges)),
  );
  expect(
    bindings.map(({ source, destination, routing_key: bindingKey }) => ({
      name: destination,
      source,
      destination,
      bindingKey,
    })),
  ).toEqual(all(declared.map((each) => each.bindings)));
});

it('has the hash of the password that is in the URL', () => {
  const { username, password, pathname } = new URL(
    rabbitUrls('amqps://127.0.0.1:5672', (name) => name.replace('/', '-')).payment,
  );
  expect([username, password, pathname]).toEqual([
    'payflowx_payment',
    'rabbitmq-payflowx_payment',
    '/payflowx',
  ]);
  const hash = Buffer.from(users.find(({ name }) => name === username)?.password_hash ?? '', 'base64');
  const expected = createHash('sha256')
    .update(hash.subarray(0, 4))
    .update(secret(`rabbitmq/${username}`));
  expect(hash.subarray(4)).toEqual(expected.digest());
  expect(rabbitDefinitions(secret)).toBe(rabbitDefinitions(secret));
});
