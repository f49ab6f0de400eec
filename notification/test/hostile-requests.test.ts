import { newId, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  callWithHostileRequests,
  createTestDatabase,
  createTestIdentity,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { mailService } from '../src/rpc/mail-service.ts';
import { notificationService } from '../src/rpc/notification-service.ts';
import { preferenceService } from '../src/rpc/preference-service.ts';
import type { Database } from '../src/store/database.ts';
import { withoutWebhooks } from './notification.ts';

it.each([
  ['NotificationService', 100],
  ['PreferenceService', 20],
  ['MailService', 100],
])('no request makes an RPC of %s fail', async (service, minimum) => {
  const identity = createTestIdentity();
  const migrations = new URL('../migrations/', import.meta.url);
  const database = await createTestDatabase({ service: 'notification', migrations });
  const db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    certificates: testCertificates('notification'),
    verifier: identity.verifier,
    pageTokenKey: testPageTokenKey,
    log: testLog,
  };
  const server = await serveGrpc(settings, [
    notificationService({ ...withoutWebhooks(db), figuresDb: db }),
    preferenceService({ db }),
    mailService({ db, fromAddress: '', log: testLog }),
  ]);
  const tokenOf = (...roles: ('customer' | 'operator')[]) => identity.tokenFor({ id: newId('usr'), roles });

  const { calls, failures } = await callWithHostileRequests({
    target: `127.0.0.1:${server.port}`,
    service: `payflowx.notification.v1.${service}`,
    accessTokens: [await tokenOf('customer'), await tokenOf('operator')],
    as: 'ledger',
  });
  await server.drain();
  await db.destroy();
  await database.drop();
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(minimum);
});
