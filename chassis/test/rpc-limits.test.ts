/** The limits of a gRPC server: bytes of strangers, sizes of messages and fields, the age and the calls of a connection. */
import { type ClientHttp2Session, connect as connectHttp2, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connectivityState, credentials, status } from '@grpc/grpc-js';
import { AuthServiceClient, AuthServiceService } from '@payflowx/proto/auth';
import { PaymentServiceClient, PaymentServiceService } from '@payflowx/proto/payment';
import { afterEach, expect, it, vi } from 'vitest';
import { type BoundService, bindService, connectGrpc, limitsOf, serveGrpc } from '../src/index.ts';
import {
  createTestIdentity,
  fakeService,
  PATIENCE_MS,
  testLog,
  testPageTokenKey,
} from '../src/testing/index.ts';

const identity = createTestIdentity();
const customer = { id: 'usr_1', roles: ['customer'] } as const;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(
  service: BoundService,
  settings: { idleConnectionMs?: number; maxStreams?: number } = {},
): Promise<number> {
  const { verifier } = identity;
  const fixed = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    verifier,
    pageTokenKey: testPageTokenKey,
    log: testLog,
  };
  const server = await serveGrpc({ ...fixed, ...settings }, [service]);
  closing.push(() => server.drain());
  return server.port;
}

function openConnection(port: number): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  closing.push(() => session.destroy());
  return session;
}

interface Beginning {
  path: string;
  /** The size that the message announces. Only its first kilobyte is sent, and the request stays open. */
  size: number;
  headers?: Record<string, string>;
}

/** Begins a call and returns the code of its response. The response arrives although the message never becomes complete. */
function beginCall(session: ClientHttp2Session, { path, size, headers = {} }: Beginning): Promise<status> {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(size, 1);
  stream.write(Buffer.concat([prefix, Buffer.alloc(1_024)]));
  return new Promise((resolve, reject) => {
    stream.on('response', (response) => resolve(Number(response['grpc-status'])));
    stream.on('error', reject);
  });
}

const bearer = async () => ({ authorization: `Bearer ${await identity.tokenFor(customer)}` });

function paymentService(handlers: { getPayment?: () => Promise<never> } = {}): BoundService {
  const unused = () => Promise.reject(new Error('not called'));
  return fakeService(
    PaymentServiceService,
    { getPayment: unused, batchCreatePayments: unused, createPayment: unused, ...handlers },
    { access: ['customer'] },
  );
}

it('refuses a caller without a token before its message has arrived', async () => {
  const session = openConnection(await serve(paymentService()));
  const { path } = PaymentServiceService.batchCreatePayments;
  const calls = Array.from({ length: 60 }, () => beginCall(session, { path, size: 15_000_000 }));
  const codes = await Promise.all(calls);
  expect(new Set(codes)).toEqual(new Set([status.UNAUTHENTICATED]));
});

it.each([
  ['getPayment', 64 * 1024 + 1],
  ['batchCreatePayments', 40_000_000],
] as const)('refuses a message that is larger than a request of %s can be', async (method, size) => {
  const session = openConnection(await serve(paymentService()));
  const { path } = PaymentServiceService[method];
  const code = await beginCall(session, { path, size, headers: await bearer() });
  expect(code).toBe(status.RESOURCE_EXHAUSTED);
});

it('refuses a large message to the health service, which needs no token', async () => {
  const session = openConnection(await serve(paymentService()));
  const code = await beginCall(session, { path: '/grpc.health.v1.Health/Check', size: 5_000 });
  expect(code).toBe(status.RESOURCE_EXHAUSTED);
});

it('ends a call whose message does not become complete, whatever deadline its caller names', async () => {
  const definition = { login: AuthServiceService.login };
  const service = bindService(definition, {
    access: { login: 'anyone' },
    errors: { domain: 'auth', codeOf: () => undefined },
    longestMs: { login: 20 },
    handlers: { login: vi.fn() },
  });
  const session = openConnection(await serve(service));
  const { path } = AuthServiceService.login;
  const code = await beginCall(session, { path, size: 10_000, headers: { 'grpc-timeout': '1H' } });
  expect(code).toBe(status.DEADLINE_EXCEEDED);
});

it('notifies the client of a connection without calls, which then reconnects', async () => {
  const peers = new Set<string>();
  const getMe = async (_: object, { peer }: { peer: string }) => {
    peers.add(peer);
    return { user: undefined };
  };
  const port = await serve(fakeService(AuthServiceService, { getMe }), { idleConnectionMs: 5 });
  const client = new AuthServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
  closing.push(() => client.close());
  for (const calls of [1, 2, 3]) {
    await new Promise<void>((resolve, reject) => {
      client.getMe({}, (error) => (error ? reject(error) : resolve()));
    });
    expect(peers.size).toBe(calls);
    const { READY } = connectivityState;
    await new Promise((resolve) => client.getChannel().watchConnectivityState(READY, Infinity, resolve));
  }
});

it('lets calls wait that are more than one connection may have at a time', async () => {
  let calls = 0;
  let most = 0;
  const getMe = async () => {
    most = Math.max(most, ++calls);
    await new Promise(setImmediate);
    calls -= 1;
    return { user: undefined };
  };
  const port = await serve(fakeService(AuthServiceService, { getMe }), { maxStreams: 5 });
  const auth = connectGrpc(AuthServiceClient, { target: `ipv4:127.0.0.1:${port}` });
  closing.push(() => auth.close());
  // The first response shows that the client has read the server's limit.
  await auth.getMe({}, { deadlineMs: PATIENCE_MS });
  await Promise.all(Array.from({ length: 50 }, () => auth.getMe({}, { deadlineMs: PATIENCE_MS })));
  expect(most).toBeLessThanOrEqual(5);
});

it('describes its contracts only if a setting says so', async () => {
  const session = openConnection(await serve(paymentService()));
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  expect(await beginCall(session, { path, size: 0 })).toBe(status.UNIMPLEMENTED);
});

it('names the fields that are beyond their limits, and does not call the handler', async () => {
  const createPayment = vi.fn();
  const service = fakeService(PaymentServiceService, { createPayment });
  const port = await serve(service);
  const payment = connectGrpc(PaymentServiceClient, { target: `ipv4:127.0.0.1:${port}` });
  closing.push(() => payment.close());
  const call = payment.createPayment(
    {
      ...{ requestId: 'r'.repeat(256), fromAccount: 'acct\0', toAccount: '😀'.repeat(64), amountMinor: 1n },
      ...{ currency: 'EUR', captureMode: 0, description: '', reference: '', holdSeconds: 0 },
      metadata: { order: 'v'.repeat(501), ['k'.repeat(41)]: '' },
    },
    { deadlineMs: PATIENCE_MS },
  );
  await expect(call).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    reason: 'INVALID_ARGUMENT',
    violations: [
      { field: 'request_id', description: 'must be at most 255 characters' },
      { field: 'from_account', description: 'must not contain the character NUL' },
      { field: 'metadata.order', description: 'must be at most 500 characters' },
      { field: 'metadata', description: 'keys must be at most 40 characters' },
    ],
  });
  expect(createPayment).not.toHaveBeenCalled();
});

it('limits the number of elements and each element, and leaves the items of a batch to the service', () => {
  const checkList = limitsOf('payflowx.payment.v1.ListAccountFiguresRequest');
  const list = (accountIds: string[]) => ({ pageSize: 0, pageToken: '', accountIds });
  expect(() => checkList(list(Array(1_000).fill('a')))).not.toThrow();
  const violating = (field: string) =>
    expect.objectContaining({ violations: [expect.objectContaining({ field })] });
  expect(() => checkList(list(Array(1_001).fill('a')))).toThrow(violating('account_ids'));
  expect(() => checkList(list(['a', 'b'.repeat(65)]))).toThrow(violating('account_ids.1'));

  const item = { request: undefined, accessToken: '', traceparent: 't'.repeat(513), deadline: undefined };
  const checkBatch = limitsOf('payflowx.payment.v1.BatchCreatePaymentsRequest');
  expect(() => checkBatch({ items: [item], sentAt: undefined })).not.toThrow();
  expect(() => checkBatch({ items: Array(501).fill(item), sentAt: undefined })).toThrow(violating('items'));
  const checkItem = limitsOf('payflowx.payment.v1.CreatePaymentItem');
  expect(() => checkItem(item)).toThrow(violating('traceparent'));
  const nested = { ...item, traceparent: '', request: { metadata: {}, description: 'd'.repeat(501) } };
  expect(() => checkItem(nested)).toThrow(violating('request.description'));
});

it.each([
  ['a truncated status', Buffer.from([0x0a, 0x7f])],
  [
    'a detail of another form',
    Buffer.from('CgUIBRIAGgAaMwotdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxICCn8=', 'base64'),
  ],
  ['no status at all', Buffer.from('not protobuf')],
])('survives an error of a foreign server with malformed details: %s', async (_, details) => {
  const server = await foreignServer(details);
  const { port } = server.address() as AddressInfo;
  const auth = connectGrpc(AuthServiceClient, { target: `ipv4:127.0.0.1:${port}` });
  closing.push(() => auth.close());
  const call = auth.getMe({}, { deadlineMs: PATIENCE_MS });
  await expect(call).rejects.toMatchObject({
    name: 'NeighbourError',
    code: status.NOT_FOUND,
    violations: [],
  });
});

/** Answers every call with NOT_FOUND and these details. */
async function foreignServer(details: Buffer): Promise<Http2Server> {
  const server = createServer();
  server.on('stream', (stream) => {
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': String(status.NOT_FOUND),
        'grpc-status-details-bin': details.toString('base64'),
      },
      { endStream: true },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return server;
}
