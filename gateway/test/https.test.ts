/** HTTPS for clients, with a certificate that is renewed while the gateway serves. */
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { renewableCertificates } from '@payflowx/chassis';
import { createTestAuthority } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { startPlatform } from './platform.ts';

it('serves HTTPS, and gives new connections the new certificate without closing open ones', async () => {
  const authority = await createTestAuthority();
  const https = renewableCertificates(await authority.issue({ service: 'gateway' }));
  const platform = await startPlatform({}, { https });
  const connect = () =>
    new Agent({ keepAlive: true, ca: authority.ca, checkServerIdentity: () => undefined });
  const [before, after] = [connect(), connect()];
  const ask = (agent: Agent) =>
    new Promise<{ status: number | undefined; serial: string; socket: unknown }>((resolve, reject) => {
      const sent = request(`${platform.url}/healthz`, { agent }, (response) => {
        const socket = response.socket as TLSSocket;
        const { serialNumber: serial } = socket.getPeerCertificate();
        response.resume().on('end', () => resolve({ status: response.statusCode, serial, socket }));
      });
      sent.on('error', reject).end();
    });

  expect(platform.url).toMatch(/^https:/);
  const first = await ask(before);
  expect(first.status).toBe(200);
  https.renew(await authority.issue({ service: 'gateway' }));
  const [again, renewed] = [await ask(before), await ask(after)];
  expect(again).toMatchObject({ status: 200, serial: first.serial });
  expect(again.socket).toBe(first.socket);
  expect(renewed.status).toBe(200);
  expect(renewed.serial).not.toBe(first.serial);
  before.destroy();
  after.destroy();
  await platform.close();
});
