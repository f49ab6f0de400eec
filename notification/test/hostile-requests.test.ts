import { newId, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  callWithHostileRequests,
  createTestDatabase,
  createTestIdentity,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { notificationService } from '../src/rpc/notification-service.ts';
import type { Database } from '../src/store/database.ts';

it('no request makes an RPC fail', async () => {
  const identity = createTestIdentity();
  const migrations = new URL('../migrations/', import.meta.url);
  const database = await createTestDatabase({ service: 'notification', migrations });
  const db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    verifier: identity.verifier,
    pageTokenKey: testPageTokenKey,
    log: testLog,
  };
  const server = await serveGrpc(settings, [notificationService({ db, figuresDb: db })]);
  const tokenOf = (...roles: ('customer' | 'operator' | 'service')[]) =>
    identity.tokenFor({ id: newId('usr'), roles });

  const { calls, failures } = await callWithHostileRequests({
    target: `127.0.0.1:${server.port}`,
    service: 'payflowx.notification.v1.NotificationService',
    accessTokens: [await tokenOf('customer'), await tokenOf('operator', 'service')],
  });
  await server.drain();
  await db.destroy();
  await database.drop();
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(100);
});
