import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { rabbitDefinitions, rabbitUrls } from './rabbitmq.ts';

const secret = (name: string) => `password of ${name}`;
const { users, permissions } = JSON.parse(rabbitDefinitions(secret)) as {
  users: { name: string; password_hash: string; tags: string }[];
  permissions: { user: string; vhost: string; configure: string; write: string; read: string }[];
};

it('gives each service its own user, who is no administrator and may only use the queues of its service', () => {
  for (const name of ['payflowx_payment', 'payflowx_notification']) {
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

it('has the hash of the password that is in the URL', () => {
  const { username, password, pathname } = new URL(
    rabbitUrls(5672, (name) => name.replace('/', '-')).payment,
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
