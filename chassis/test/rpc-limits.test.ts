/** The limits of a gRPC server: bytes of strangers, sizes of messages and fields, the age and the calls of a connection. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  createSecureServer,
  type Http2SecureServer,
} from 'node:http2';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { connectivityState, status } from '@grpc/grpc-js';
import { AuthServiceClient, AuthServiceService } from '@payflowx/proto/auth';
import { PaymentServiceClient, PaymentServiceService } from '@payflowx/proto/payment';
import { afterEach, expect, it, vi } from 'vitest';
import {
  type BoundService,
  bindService,
  connectGrpc,
  type GrpcServerSettings,
  limitsOf,
  serveGrpc,
} from '../src/index.ts';
import {
  createTestIdentity,
  fakeService,
  PATIENCE_MS,
  type TestService,
  testCertificates,
  testCredentials,
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
  settings: Partial<
    Pick<GrpcServerSettings, 'idleConnectionMs' | 'maxStreams' | 'maxStrangers' | 'longestOtherMs'>
  > = {},
): Promise<number> {
  const { verifier } = identity;
  const fixed = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    certificates: testCertificates(serviceOf(service)),
    verifier,
    pageTokenKey: testPageTokenKey,
    log: testLog,
  };
  const server = await serveGrpc({ ...fixed, ...settings }, [service]);
  closing.push(() => server.drain());
  return server.port;
}

/** The service that has the contract. */
function serviceOf({ definition }: BoundService): TestService {
  return Object.values(definition)[0]?.path.split('.')[1] as TestService;
}

function openConnection(port: number): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    ca: testCertificates().current().ca,
    checkServerIdentity: () => undefined,
  });
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

it('ends a health check whose message does not become complete', async () => {
  const session = openConnection(await serve(paymentService(), { longestOtherMs: 20 }));
  const code = await beginCall(session, {
    ...{ path: '/grpc.health.v1.Health/Check', size: 2_000 },
    headers: { 'grpc-timeout': '1H' },
  });
  expect(code).toBe(status.DEADLINE_EXCEEDED);
});

it('has no health streams: they need no token and have no end', async () => {
  const session = openConnection(await serve(paymentService()));
  expect(await beginCall(session, { path: '/grpc.health.v1.Health/Watch', size: 0 })).toBe(
    status.UNIMPLEMENTED,
  );
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

it('resets a call that has its response, if its client does not end the request', async () => {
  const session = openConnection(await serve(paymentService()));
  const { path } = PaymentServiceService.getPayment;
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
  stream.resume();
  const reset = new Promise((resolve) => stream.on('close', () => resolve(stream.rstCode)));
  expect(await reset).toBe(constants.NGHTTP2_NO_ERROR);
});

it('ends a call whose client sends its whole message, but does not end the request', async () => {
  const definition = { getMe: AuthServiceService.getMe };
  const service = bindService(definition, {
    access: { getMe: ['customer'] },
    errors: { domain: 'auth', codeOf: () => undefined },
    longestMs: { getMe: 20 },
    handlers: { getMe: vi.fn() },
  });
  const session = openConnection(await serve(service));
  const headers = { 'grpc-timeout': '1H', ...(await bearer()) };
  const call = { path: AuthServiceService.getMe.path, size: 1_024, headers };
  expect(await beginCall(session, call)).toBe(status.DEADLINE_EXCEEDED);
});

it('notifies the client of a connection without calls, which then reconnects', async () => {
  const peers = new Set<string>();
  const getMe = async (_: object, { peer }: { peer: string }) => {
    peers.add(peer);
    return { user: undefined };
  };
  const port = await serve(fakeService(AuthServiceService, { getMe }), { idleConnectionMs: 200 });
  const client = new AuthServiceClient(`127.0.0.1:${port}`, testCredentials('auth'));
  closing.push(() => client.close());
  for (const calls of [1, 2, 3]) {
    await new Promise<void>((resolve, reject) => {
      client.getMe({}, (error) => (error ? reject(error) : resolve()));
    });
    expect(peers.size).toBe(calls);
    const { READY } = connectivityState;
    const channel = client.getChannel();
    // On a slow machine the connection is closed already, and a watch would not notice.
    if (channel.getConnectivityState(false) === READY)
      await new Promise((resolve) => channel.watchConnectivityState(READY, Infinity, resolve));
  }
});

it('serves newcomers and services while strangers hold more connections than they may', async () => {
  let calls = 0;
  const isOver = Promise.withResolvers<void>();
  const getMe = async () => {
    calls += 1;
    if (calls === 1) await isOver.promise;
    return { user: undefined };
  };
  const port = await serve(fakeService(AuthServiceService, { getMe }), { maxStrangers: 4 });
  const connectAs = (service?: TestService) => {
    const client = connectGrpc(AuthServiceClient, {
      target: `ipv4:127.0.0.1:${port}`,
      certificates: testCertificates(service),
    });
    closing.push(() => client.close());
    return client;
  };
  const service = connectAs('gateway');
  const busyStranger = connectAs();
  const first = busyStranger.getMe({}, { deadlineMs: PATIENCE_MS });
  await expect.poll(() => calls).toBe(1);
  await service.getMe({}, { deadlineMs: PATIENCE_MS });

  // Half of them never begin their handshake.
  const closed: string[] = [];
  for (const index of Array(10).keys()) {
    const flood = index % 2 === 0 ? connectTcp(port, '127.0.0.1') : openConnection(port);
    flood.on('error', () => {}).once('close', () => closed.push(`${index}`));
    closing.push(() => flood.destroy());
    await once(flood, 'connect');
  }
  // Four of five handshakes that never begin are kept, and three strangers beside the one that waits for its response.
  await expect.poll(() => closed.length, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(3);
  await connectAs().getMe({}, { deadlineMs: PATIENCE_MS });
  await service.getMe({}, { deadlineMs: PATIENCE_MS });
  isOver.resolve();
  await first;
});

it('lets services in while strangers keep all their connections busy and begin handshakes', async () => {
  const getMe = async () => ({ user: undefined });
  const settings = { maxStrangers: 3, longestOtherMs: PATIENCE_MS };
  const port = await serve(fakeService(AuthServiceService, { getMe }), settings);
  const strangers: ClientHttp2Session[] = [];
  while (strangers.length < 3) {
    const session = openConnection(port);
    strangers.push(session);
    await once(session, 'remoteSettings');
    void beginCall(session, { path: '/grpc.health.v1.Health/Check', size: 2_000 }).catch(() => {});
    // The server has the call before it.
    await new Promise((resolve) => session.ping(resolve));
  }
  const refused = openConnection(port);
  await once(refused, 'close');
  for (let opened = 0; opened < 10; opened += 1) {
    const socket = connectTcp(port, '127.0.0.1').on('error', () => {});
    closing.push(() => socket.destroy());
    await once(socket, 'connect');
  }
  for (const service of ['gateway', 'payment'] as const) {
    const client = connectGrpc(AuthServiceClient, {
      target: `ipv4:127.0.0.1:${port}`,
      certificates: testCertificates(service),
    });
    closing.push(() => client.close());
    await client.getMe({}, { deadlineMs: PATIENCE_MS });
  }
  expect(strangers.map((session) => session.destroyed)).toEqual([false, false, false]);
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
  const auth = connectGrpc(AuthServiceClient, {
    target: `ipv4:127.0.0.1:${port}`,
    certificates: testCertificates(),
  });
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
  const payment = connectGrpc(PaymentServiceClient, {
    target: `ipv4:127.0.0.1:${port}`,
    certificates: testCertificates(),
  });
  closing.push(() => payment.close());
  const call = payment.createPayment(
    {
      ...{ requestId: 'r'.repeat(256), fromAccount: 'acct\0', toAccount: '😀'.repeat(64), amountMinor: 1n },
      ...{ currency: 'EUR', captureMode: 0, captureBy: 0, description: '', reference: '', holdSeconds: 0 },
      mandateId: '',
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
  const auth = connectGrpc(AuthServiceClient, {
    target: `ipv4:127.0.0.1:${port}`,
    certificates: testCertificates(),
  });
  closing.push(() => auth.close());
  const call = auth.getMe({}, { deadlineMs: PATIENCE_MS });
  await expect(call).rejects.toMatchObject({
    name: 'NeighbourError',
    code: status.NOT_FOUND,
    violations: [],
  });
});

/** Answers every call with NOT_FOUND and these details. */
async function foreignServer(details: Buffer): Promise<Http2SecureServer> {
  const { cert = '', key = '' } = testCertificates('auth').current();
  const server = createSecureServer({ cert, key });
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
