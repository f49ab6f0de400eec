import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type ConnectCertificate, watchConnectCertificate } from '../src/index.ts';
import { type ConsulAgent, prepareConsulAgent } from './consul-agent.ts';
import { SOON } from './patience.ts';
import { recordLog } from './recorded-log.ts';

const log = recordLog();
const seen: ConnectCertificate[] = [];
let consul: ConsulAgent;
let stop: () => void;
const newest = () => seen.at(-1) as ConnectCertificate;
const rootsOf = ({ ca }: ConnectCertificate) => ca.match(/-----BEGIN/g)?.length;

beforeAll(async () => {
  consul = await prepareConsulAgent();
  stop = watchConnectCertificate({ consul: { url: consul.url }, log }, 'payment', (each) => seen.push(each));
});
afterAll(async () => {
  stop();
  await consul.kill();
  await consul.wipe();
});

it('waits for Consul, and then has a certificate with the name of the service', async () => {
  await vi.waitFor(
    () =>
      expect(log.messages).toContain('warn: Consul is unavailable; keeping the present certificate, if any'),
    SOON,
  );
  await consul.start();
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), SOON);
  const { cert, key, ca } = newest();
  const certificate = new X509Certificate(cert);
  expect(certificate.subjectAltName).toMatch(
    /^URI:spiffe:\/\/[0-9a-f-]+\.consul\/ns\/default\/dc\/dc1\/svc\/payment$/,
  );
  expect(certificate.verify(new X509Certificate(ca).publicKey)).toBe(true);
  expect(key).toContain('PRIVATE KEY');
});

it('has a new certificate when the CA is replaced, and trusts both CAs', async () => {
  const { cert } = newest();
  const body = {
    Provider: 'consul',
    Config: { PrivateKeyType: 'ec', PrivateKeyBits: 384, LeafCertTTL: '72h' },
  };
  const answer = await fetch(`${consul.url}/v1/connect/ca/configuration`, {
    method: 'PUT',
    body: JSON.stringify(body),
  });
  expect(answer.ok, await answer.text()).toBe(true);
  await vi.waitFor(() => expect(rootsOf(newest())).toBe(2), SOON);
  await vi.waitFor(() => expect(newest().cert).not.toBe(cert), SOON);
});

it('keeps its certificate while Consul is unavailable, and follows one that lost its data', async () => {
  const before = seen.length;
  const { cert } = newest();
  await consul.kill();
  await vi.waitFor(
    () =>
      expect(
        log.messages.filter((message) => message.startsWith('warn: Consul is unavailable')).length,
      ).toBeGreaterThan(1),
    SOON,
  );
  expect(seen.length).toBe(before);
  await consul.wipe();
  await consul.start();
  await vi.waitFor(() => expect(newest().cert).not.toBe(cert), SOON);
  await vi.waitFor(() => expect(rootsOf(newest())).toBe(1), SOON);
});
