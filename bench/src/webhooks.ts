/**
 * Webhooks under load: `make bench-webhooks`. It starts notification alone, on a database and a queue of its own, and publishes messages as
 * payment does. A tenth of the endpoints hangs, and a tenth answers 500. Prints the time from the message to the webhook at healthy endpoints,
 * and the deliveries per second, and writes both to `results/webhooks.json`. Exits with 1 if a webhook did not arrive.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectGrpc, newId, type OutgoingEvent, packParcel } from '@payflowx/chassis';
import { connectRabbitPublisher } from '@payflowx/chassis/rabbit';
import {
  createTestDatabase,
  createTestIdentity,
  eventually,
  freePort,
  PATIENCE_MS,
  startTestAuth,
  testCertificates,
  testLog,
  testPageTokenKey,
  testServers,
  testTlsEnvironment,
} from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { NotificationServiceClient, type NotificationServiceService } from '@payflowx/proto/notification';
import { Payment, PaymentEvent, PaymentEventType, PaymentKind, PaymentState } from '@payflowx/proto/payment';
import { createLatencies } from './load/latencies.ts';
import { readCpu } from './measure/process-usage.ts';

const ENDPOINTS = Number(process.env.BENCH_ENDPOINTS ?? 1_000);
const PAYMENTS_PER_S = Number(process.env.BENCH_PAYMENTS_PER_S ?? 200);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 30);
/** A missed target is printed, but is no error. */
const TARGETS = { p99Ms: 1_000, deliveriesPerS: 400 };
/** Of ten endpoints: the first hangs, the second answers 500. */
const KINDS = ['hangs', 'fails', ...Array.from({ length: 8 }, () => 'healthy')];
const TICK_MS = 20;

/** The figures, and the log of notification. */
const results = new URL('../results/', import.meta.url);
mkdirSync(results, { recursive: true });

const stopping: (() => unknown)[] = [];
const sentAt = new Map<string, number>();
const latencies = createLatencies();
/** Event and path of the webhooks at healthy endpoints. */
const arrived = new Set<string>();

const receiver = createServer((request, response) => {
  request.resume();
  const { url = '' } = request;
  const kind = url.split('/')[1];
  if (kind === 'hangs') return;
  if (kind === 'fails') return response.writeHead(500).end();
  const id = String(request.headers['webhook-id']);
  const at = sentAt.get(id);
  // A webhook may arrive twice. The first time counts.
  if (at !== undefined && !arrived.has(id + url)) latencies.record('healthy', at, performance.now());
  arrived.add(id + url);
  response.writeHead(204).end();
});
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');
const base = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

const folder = new URL('../../notification/', import.meta.url);
const identity = createTestIdentity();
const auth = await startTestAuth(identity);
const database = await createTestDatabase({
  service: 'notification',
  migrations: new URL('migrations/', folder),
});
const queue = { ...testServers.rabbit(), queue: `bench-webhooks-${newId('req')}` };
const port = await freePort();
const service: ChildProcess = spawn(process.execPath, ['--conditions=payflowx-source', 'src/main.ts'], {
  cwd: folder,
  stdio: ['ignore', openSync(new URL('webhooks.log', results), 'w'), 'inherit'],
  env: {
    ...process.env,
    GRPC_PORT: String(port),
    CONSUL_URL: '',
    POSTGRES_URL: database.url,
    RABBITMQ_URL: queue.url,
    RABBITMQ_CA_FILE: process.env.TEST_RABBITMQ_CA_FILE ?? '',
    NOTIFICATION_QUEUE: queue.queue,
    IDENTITY_QUEUE: `${queue.queue}-identity`,
    AUTH_TARGET: auth.target,
    ...testTlsEnvironment('notification'),
    PAGE_TOKEN_KEY: testPageTokenKey.toString('base64'),
    WEBHOOK_SEALING_KEY: randomBytes(32).toString('base64'),
    WEBHOOK_ALLOW_HTTP: 'true',
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    WEBHOOK_PORTS: '*',
  },
});
let isStopping = false;
service.once('exit', (code) => {
  if (isStopping) return;
  console.error(`notification ended with ${code}; its log is results/webhooks.log`);
  process.exit(1);
});
const client = connectGrpc<NotificationServiceService>(NotificationServiceClient, {
  target: `ipv4:127.0.0.1:${port}`,
  certificates: testCertificates(),
});
stopping.push(
  () => client.close(),
  async () => {
    isStopping = true;
    service.kill('SIGTERM');
    await once(service, 'exit');
  },
  () => auth.stop(),
  () => database.drop(),
  () => receiver.close(),
  () => receiver.closeAllConnections(),
);

const as = async (id: string) => ({
  accessToken: await identity.tokenFor({ id, roles: ['customer'] }),
  deadlineMs: PATIENCE_MS,
});
const owners = Array.from({ length: ENDPOINTS }, () => newId('usr'));
const reader = await as(owners[0] ?? '');
await eventually(() => client.listWebhookEndpoints({ pageSize: 1, pageToken: '' }, reader));
for (const [index, owner] of owners.entries()) {
  const url = `${base}/${KINDS[index % KINDS.length]}/${index}`;
  await client.createWebhookEndpoint({ url, eventTypes: ['*'], description: '' }, await as(owner));
}
console.log(`${ENDPOINTS} endpoints, ${PAYMENTS_PER_S} payments/s for ${SECONDS} s`);

const publisher = await connectRabbitPublisher(queue, testLog);
stopping.unshift(() => publisher.close());
const cpuMs = () => readCpu(new Map([['notification', service.pid ?? 0]])).get('notification') ?? 0;
const loadBefore = loadavg()[0] ?? 0;
const cpuBefore = cpuMs();
const startedAt = performance.now();
let published = 0;
/** Deliveries to healthy endpoints. The payer and the payee of a payment may be the same user, whose endpoint gets one. */
let expected = 0;
while (performance.now() - startedAt < SECONDS * 1_000) {
  const due = Math.floor(((performance.now() - startedAt) / 1_000) * PAYMENTS_PER_S) - published;
  if (due > 0) {
    const events = Array.from({ length: due }, messageOf);
    published += due;
    void publisher.publish([packParcel(events)]);
  }
  await sleep(TICK_MS);
}
const healthyShare = KINDS.filter((kind) => kind === 'healthy').length / KINDS.length;
for (let waits = 0; arrived.size < expected && waits < 300; waits += 1) await sleep(100);
const seconds = (performance.now() - startedAt) / 1_000;
const { p50, p99, max } = latencies.figures().healthy ?? { p50: 0, p99: 0, max: 0 };
const figures = {
  endpoints: ENDPOINTS,
  paymentsPerS: PAYMENTS_PER_S,
  published,
  expected,
  delivered: arrived.size,
  deliveriesPerS: Math.round(arrived.size / seconds),
  targetDeliveriesPerS: Math.min(TARGETS.deliveriesPerS, Math.round(2 * PAYMENTS_PER_S * healthyShare)),
  latencyMs: { p50: Math.round(p50), p99: Math.round(p99), max: Math.round(max), targetP99: TARGETS.p99Ms },
  cpuS: round((cpuMs() - cpuBefore) / 1_000),
  seconds: round(seconds),
  cores: availableParallelism(),
  loadAverage: { before: round(loadBefore), after: round(loadavg()[0] ?? 0) },
};
console.log(
  `healthy deliveries ${arrived.size} of ${expected}, ${figures.deliveriesPerS}/s
message to webhook: p50 ${figures.latencyMs.p50} ms, p99 ${figures.latencyMs.p99} ms, max ${figures.latencyMs.max} ms
notification's CPU ${figures.cpuS} s in ${figures.seconds} s, load average ${figures.loadAverage.before} before and ${figures.loadAverage.after} after`,
);
writeFileSync(new URL('webhooks.json', results), `${JSON.stringify(figures, null, 2)}\n`);
for (const stop of stopping) await stop();
process.exit(arrived.size < expected ? 1 : 0);

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A completed payment between two random owners. */
function messageOf(): OutgoingEvent {
  const pick = () => Math.floor(Math.random() * owners.length);
  const sides = [pick(), pick()];
  const [fromOwnerId = '', toOwnerId = ''] = sides.map((index) => owners[index] ?? '');
  expected += [...new Set(sides)].filter((index) => KINDS[index % KINDS.length] === 'healthy').length;
  const [id, now] = [newId('evt'), new Date()];
  const payment = {
    ...Payment.decode(new Uint8Array()),
    id: newId('pay'),
    kind: PaymentKind.PAYMENT,
    state: PaymentState.COMPLETED,
    captureMode: CaptureMode.AUTOMATIC,
    fromAccount: newId('acct'),
    toAccount: newId('acct'),
    amountMinor: 100n,
    capturedMinor: 100n,
    currency: 'EUR',
    version: 2n,
    createdAt: now,
    updatedAt: now,
  };
  const event = {
    ...PaymentEvent.decode(new Uint8Array()),
    id,
    type: PaymentEventType.COMPLETED,
    occurredAt: now,
    payment,
    fromOwnerId,
    toOwnerId,
  };
  sentAt.set(id, performance.now());
  const payload = PaymentEvent.encode(event).finish();
  return { id, type: 'payment.completed', source: '/payflowx/payment', time: now, key: payment.id, payload };
}
