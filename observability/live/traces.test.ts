/** The log lines of a request have its trace. One payment is one trace: a real Jaeger has every span of it under one root. The services must run with TRACES=1. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, eventually, openAccount } from '../../e2e/src/platform.ts';
import { logs } from '../../infra/src/paths.ts';
import { SERVICE_NAMES } from '../../infra/src/services.ts';
import { type Jaeger, openJaeger, type Span } from './jaeger.ts';
import { who } from './platform.ts';

/** Values that nothing else in a trace can have. */
const AMOUNT = 7_654_321;
const TEXT = 'rent-of-the-lighthouse';
const PATH = 'secret-path-of-the-webhook';

const closing: (() => unknown)[] = [];
let jaeger: Jaeger;
let from: Account;
let to: Account;

beforeAll(async () => {
  jaeger = await openJaeger();
  closing.push(() => jaeger.stop());
  from = await openAccount(who.operator, who.alice.user, 2 * AMOUNT);
  to = await openAccount(who.operator, who.bob.user, 0);
  await receiveWebhooks();
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function receiveWebhooks(): Promise<void> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const body = { url: `http://127.0.0.1:${port}/${PATH}`, event_types: ['*' as const] };
  const { data } = await who.bob.api.post('/v1/webhook-endpoints', { body });
  const path = { id: data.id };
  closing.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => who.bob.api.delete('/v1/webhook-endpoints/{id}', { params: { path } }),
  );
}

const EXPECTED = [
  'gateway: POST /v1/payments',
  'gateway: create-payments',
  'payment: payflowx.payment.v1.PaymentService/CreatePayment',
  'payment: accept',
  'payment: authorize',
  'payment: settle',
  'authorization: payflowx.authorization.v1.AuthorizationService/Authorize',
  'authorization: decide',
  'payment: send payment-events',
  'payment: send payment-notifications',
  'ledger: process payment-events',
  'analytics: process payment-events',
  'notification: process payment-notifications',
  'notification: POST',
].sort();

const named = (spans: Span[]) =>
  [...new Set(spans.map(({ service, operationName }) => `${service}: ${operationName}`))].sort();

const parentOf = ({ traceID, references }: Span) =>
  references.find((each) => each.refType === 'CHILD_OF' && each.traceID === traceID);

/** Pays, and returns all spans of the payment. */
async function tracedPayment(): Promise<{ spans: Span[]; text: string }> {
  const body = {
    from_account: from.id,
    to_account: to.id,
    amount: AMOUNT,
    currency: 'EUR',
    description: TEXT,
    reference: TEXT,
  };
  const { data } = await who.alice.api.post('/v1/payments', { body });
  const tags = { 'payflowx.payment.id': data.id };
  const spans = await eventually(async () => {
    const found = await jaeger.findTrace('payment', tags);
    expect(named(found)).toEqual(EXPECTED);
    return found;
  });
  return { spans, text: JSON.stringify(spans) };
}

it('Jaeger has every span of a payment under one root, and its batches by their links; no span tells an amount, a name or a token', async () => {
  const { spans, text } = await tracedPayment();
  const ids = new Set(spans.map(({ spanID }) => spanID));
  expect(new Set(spans.map(({ traceID }) => traceID)).size).toBe(1);
  const roots = spans.filter((span) => parentOf(span) === undefined);
  expect(named(roots)).toEqual(['gateway: POST /v1/payments']);
  expect(roots).toHaveLength(1);
  // Each other span has its parent here.
  expect(spans.filter((span) => !roots.includes(span) && !ids.has(parentOf(span)?.spanID ?? ''))).toEqual([]);

  const traceId = spans[0]?.traceID;
  const linked = spans.flatMap(({ references }) => references.filter(({ traceID }) => traceID !== traceId));
  const batches = (await Promise.all(linked.map(({ traceID }) => jaeger.readTrace(traceID)))).flat();
  expect(named(batches)).toEqual(
    expect.arrayContaining([
      'gateway: batch create-payments',
      'gateway: payflowx.payment.v1.PaymentService/BatchCreatePayments',
      'payment: payflowx.payment.v1.PaymentService/BatchCreatePayments',
      'payment: batch accept',
      'payment: batch authorize',
      'payment: batch settle',
      'authorization: batch decide',
      'ledger: batch payment-events',
    ]),
  );
  const back = batches.flatMap(({ references }) => references.filter(({ traceID }) => traceID === traceId));
  expect(back.length).toBeGreaterThan(0);

  const everything = text + JSON.stringify(batches);
  const { username, password, id } = who.alice.user;
  const token = await who.alice.api.accessToken();
  for (const secret of [String(AMOUNT), '76543.21', TEXT, PATH, username, password, id, token, from.id])
    expect(everything).not.toContain(secret);
});

/** The lines that the services have logged since the test began. */
function linesOf(trace: string): Record<string, unknown>[] {
  const files = SERVICE_NAMES.map((service) => join(logs, `${service}.log`));
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes(trace))
      .map((line) => JSON.parse(line)),
  );
}

it('log lines of a request have the trace id that its caller chose, in each service', async () => {
  const trace = randomBytes(16).toString('hex');
  const headers = { traceparent: `00-${trace}-${randomBytes(8).toString('hex')}-00` };
  const payment = { from_account: from.id, to_account: to.id, amount: 1, currency: 'EUR' };
  // Authorization logs each simulation, and auth and the gateway each failed login.
  await who.alice.post('/v1/payments/simulate', payment, { headers });
  await who.operator.post('/v1/payments/simulate', payment, { headers });
  const { username } = who.alice.user;
  await who.alice.post('/v1/auth/login', { username, password: 'a wrong password' }, { headers });
  await eventually(async () => {
    const lines = linesOf(trace);
    expect(lines.every(({ trace_id }) => trace_id === trace)).toBe(true);
    const found = new Set(lines.map(({ service }) => service));
    expect([...found]).toEqual(expect.arrayContaining(['authorization', 'auth']));
  });
});
