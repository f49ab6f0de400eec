/** The health that a server reports: to Consul, and to the gateway's /readyz. */
import { Client } from '@grpc/grpc-js';
import { connectGrpc, serveGrpc } from '@payflowx/chassis';
import { LedgerServiceClient, LedgerServiceService } from '@payflowx/proto/ledger';
import { afterEach, expect, it } from 'vitest';
import { openWatchedDatabase } from '../src/postgres/index.ts';
import {
  createTestDatabase,
  createTestIdentity,
  eventually,
  fakeService,
  PATIENCE_MS,
  testCertificates,
  testCredentials,
  testLog,
  testPageTokenKey,
  vanishingServer,
} from '../src/testing/index.ts';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** `instance`: may get calls. `work`: all of its work proceeds. */
async function serve(health: NonNullable<Parameters<typeof serveGrpc>[0]['health']>) {
  const { verifier } = createTestIdentity();
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    certificates: testCertificates('ledger'),
    verifier,
    pageTokenKey: testPageTokenKey,
    log: testLog,
    health,
  };
  const server = await serveGrpc(settings, [
    fakeService(LedgerServiceService, { getProof: () => Promise.reject(new Error('unused')) }),
  ]);
  stops.push(() => server.drain());
  const target = `ipv4:127.0.0.1:${server.port}`;
  const plain = new Client(target, testCredentials('ledger'));
  const client = connectGrpc(LedgerServiceClient, { target, certificates: testCertificates() });
  stops.push(
    () => client.close(),
    () => plain.close(),
  );
  return async () => {
    const [instance, work] = await Promise.all([isServing(plain), client.isServing(PATIENCE_MS)]);
    return { instance, work };
  };
}

/** The check of Consul, with the empty name. */
function isServing(client: Client): Promise<boolean> {
  const same = (bytes: Buffer) => bytes;
  const path = '/grpc.health.v1.Health/Check';
  const SERVING = Buffer.from([0x08, 0x01]);
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error, answer) =>
      resolve(!error && SERVING.equals(answer ?? Buffer.alloc(0))),
    );
  });
}

it('follows a database that vanishes without closing its connections, and that comes back', async () => {
  const database = await createTestDatabase({
    service: 'chassis',
    migrations: new URL('./migrations/', import.meta.url),
  });
  stops.push(() => database.drop());
  const proxy = await vanishingServer(database.url);
  stops.push(() => proxy.close());
  const watched = openWatchedDatabase({ url: proxy.url, poolMax: 2, statementTimeoutMs: 100 }, testLog, {
    probeEveryMs: 100,
  });
  stops.push(() => watched.close());
  const health = await serve({ answering: [watched.problem] });
  // Longer than the silence that counts as a problem. An idle database is healthy.
  for (let n = 0; n < 20; n += 1) {
    expect(await health()).toEqual({ instance: true, work: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  proxy.freeze();
  await eventually(async () => expect(await health()).toEqual({ instance: false, work: false }));
  proxy.thaw();
  await eventually(async () => expect(await health()).toEqual({ instance: true, work: true }));
});

it('keeps an instance in service whose work stands still, and reports the work', async () => {
  let problem: string | undefined = 'no message is applied';
  const health = await serve({ working: [() => problem] });
  await eventually(async () => expect(await health()).toEqual({ instance: true, work: false }));
  problem = undefined;
  await eventually(async () => expect(await health()).toEqual({ instance: true, work: true }));
});
