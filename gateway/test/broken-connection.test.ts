/** A connection to another service breaks after the service has committed, and before its response arrives. */
import { createServer, connect as dial, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { account, rule, USER_ID } from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;
const sockets = new Set<Socket>();

/** Passes bytes on, between the gateway and the accounts and rules of the authorization service. */
const wire = createServer((near) => {
  const far = dial(platform.portOf('authorization'), '127.0.0.1');
  near.pipe(far).pipe(near);
  for (const socket of [near, far]) {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  }
});

function breakConnections(): void {
  for (const socket of sockets) socket.destroy();
}

beforeEach(async () => {
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve));
  const { port } = wire.address() as { port: number };
  platform = await startPlatform({ AUTHORIZATION_TARGET: `ipv4:127.0.0.1:${port}` });
  client = await createClient(platform);
});
afterEach(async () => {
  await platform.close();
  breakConnections();
  await new Promise((resolve) => wire.close(resolve));
});

it.each([
  ['authorization', 'createAccount', '/v1/accounts', { owner_id: USER_ID, currency: 'EUR' }, { account }],
  ['rules', 'createRule', '/v1/rules', { name: 'a', expression: 'true', action: 'shadow' }, { rule }],
] as const)(
  '%s.%s is committed once, and its caller gets the result',
  async (name, method, path, body, made) => {
    const attempts: string[] = [];
    const committed = new Set<string>();
    platform.fakes[name][method] = ({ requestId }) => {
      attempts.push(requestId);
      committed.add(requestId);
      if (attempts.length > 1) return made;
      breakConnections();
      return new Promise(() => {});
    };
    const answer = await client.call('POST', path, { as: 'operator', body });
    expect(answer.status).toBe(201);
    expect([attempts.length, committed.size]).toEqual([2, 1]);
  },
);
