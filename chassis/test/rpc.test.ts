import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { Client, Metadata, status } from '@grpc/grpc-js';
import { AuthServiceClient, AuthServiceService, User } from '@payflowx/proto/auth';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type AccessTable,
  bindService,
  type Call,
  type Caller,
  connectGrpc,
  currentTrace,
  errorTable,
  fromServiceError,
  type GrpcServer,
  type Handlers,
  ReasonedError,
  runInTrace,
  SCOPES,
  type Scope,
  serveGrpc,
  traceFrom,
} from '../src/index.ts';
import {
  attackedList,
  createTestIdentity,
  expectTokensToBeBound,
  PATIENCE_MS,
  startTestServer,
  type TestService,
  testCertificates,
  testCredentials,
  testLog,
  testPageTokenKey,
} from '../src/testing/index.ts';

class FakeError extends ReasonedError<'USERNAME_TAKEN'> {
  constructor() {
    super('USERNAME_TAKEN', 'That name is taken.', {
      metadata: { username: 'ada' },
      violations: [{ field: 'username', description: 'is taken' }],
      retryAfterMs: 1500,
    });
  }
}

const methods = Object.keys(AuthServiceService) as (keyof typeof AuthServiceService)[];
const OPERATOR = ['operator'] as const;
const access = {
  ...(Object.fromEntries(methods.map((method) => [method, OPERATOR])) as never as AccessTable<
    typeof AuthServiceService
  >),
  login: 'anyone',
  loginClient: 'anyone',
  refreshTokens: 'anyone',
  logout: 'anyone',
  getMe: { roles: ['customer', 'operator'], scope: 'accounts:read' },
  getJwks: 'anyone',
} as const;

const identity = createTestIdentity();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(
  handlers: Partial<Handlers<typeof AuthServiceService>>,
  longestMs = {},
  pageTokenKey: Buffer | undefined = testPageTokenKey,
  changes: { access?: AccessTable<typeof AuthServiceService>; recentLoginS?: number } = {},
): Promise<{ server: GrpcServer; target: string }> {
  const errors = errorTable('auth', FakeError, { USERNAME_TAKEN: status.ALREADY_EXISTS });
  const service = bindService(AuthServiceService, {
    access: changes.access ?? access,
    errors,
    longestMs,
    handlers: handlers as Handlers<typeof AuthServiceService>,
  });
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: true,
    pageTokenKey,
    certificates: testCertificates('auth'),
    verifier: identity.verifier,
    log: testLog,
    ...(changes.recentLoginS !== undefined && { recentLoginS: changes.recentLoginS }),
  };
  const server = await serveGrpc(settings, [service]);
  closing.push(() => server.drain());
  return { server, target: `ipv4:127.0.0.1:${server.port}` };
}

function connect(target: string, as?: TestService) {
  const auth = connectGrpc(AuthServiceClient, {
    target,
    certificates: testCertificates(as),
    retryable: ['getJwks'],
  });
  closing.push(() => auth.close());
  return auth;
}

/** The scopes of a client that acts for a customer. */
const scoped = (...scopes: Scope[]) =>
  identity.tokenFor({ id: 'usr_1', roles: ['customer'], clientId: 'cli_1', scopes });

const user = { ...User.decode(new Uint8Array()), id: 'usr_1', username: 'ada', createdAt: new Date(0) };

describe('a served call', () => {
  it('knows its verified caller', async () => {
    const { target } = await start({
      getMe: async (_, { caller }) => ({ user: { ...user, id: caller?.id ?? '' } }),
    });
    const accessToken = await identity.tokenFor({ id: 'usr_42', roles: ['customer'] });
    const { user: me } = await connect(target).getMe({}, { deadlineMs: PATIENCE_MS, accessToken });
    expect(me?.id).toBe('usr_42');
  });

  it('knows the service that calls, also if it may be anyone', async () => {
    const services: (string | undefined)[] = [];
    const { target } = await start({
      login: async (_, { service }) => {
        services.push(service);
        return {} as never;
      },
    });
    for (const as of ['gateway', undefined] as const) {
      await connect(target, as).login({ username: 'a', password: 'b' }, { deadlineMs: PATIENCE_MS });
    }
    expect(services).toEqual(['gateway', undefined]);
  });

  it.each([
    ['no token', async () => undefined, 'UNAUTHENTICATED'],
    [
      'an expired token',
      () => identity.tokenFor({ id: 'usr_1', roles: ['customer'] }, { expiresInS: -1 }),
      'UNAUTHENTICATED',
    ],
    [
      "another issuer's token",
      () => createTestIdentity().tokenFor({ id: 'usr_1', roles: ['customer'] }),
      'UNAUTHENTICATED',
    ],
    [
      'a role that is not named',
      () => identity.tokenFor({ id: 'usr_1', roles: ['auditor'] }),
      'ROLE_NOT_ALLOWED',
    ],
    ["an API client's token without its scope", () => scoped('payments:read'), 'INSUFFICIENT_SCOPE'],
    ["an API client's token without any scope", () => scoped(), 'INSUFFICIENT_SCOPE'],
    [
      "an API client's token of a role that is not named",
      () => identity.tokenFor({ id: 'usr_1', roles: ['auditor'], scopes: ['accounts:read'] }),
      'ROLE_NOT_ALLOWED',
    ],
  ])('is refused with %s', async (_, token, reason) => {
    const { target } = await start({ getMe: async () => ({ user }) });
    const call = connect(target).getMe({}, { deadlineMs: PATIENCE_MS, accessToken: await token() });
    await expect(call).rejects.toMatchObject({ reason });
  });

  it("accepts an API client's token with the scope, as its user", async () => {
    const { target } = await start({
      getMe: async (_, { caller }) => ({ user: { ...user, id: `${caller?.id} by ${caller?.clientId}` } }),
    });
    const accessToken = await scoped('accounts:read', 'ledger:read');
    const { user: me } = await connect(target).getMe({}, { deadlineMs: PATIENCE_MS, accessToken });
    expect(me?.id).toBe('usr_1 by cli_1');
  });

  describe('that needs a recent login', () => {
    const nowS = () => Math.floor(Date.now() / 1000);
    const operator = { id: 'usr_1', roles: ['operator'] as const };
    async function call(caller: Caller, recentLoginS?: number) {
      const rotateSigningKey = { roles: ['operator'], scope: 'rules:write', recentLogin: true } as const;
      const { target } = await start(
        { rotateSigningKey: async () => ({ activeKid: 'a', nextKid: 'b', activatesAt: undefined }) },
        {},
        undefined,
        { access: { ...access, rotateSigningKey }, ...(recentLoginS !== undefined && { recentLoginS }) },
      );
      const accessToken = await identity.tokenFor(caller);
      return connect(target).rotateSigningKey({}, { deadlineMs: PATIENCE_MS, accessToken });
    }

    it('is open after a login of the last 15 minutes, and to machines', async () => {
      await call({ ...operator, loggedInAtS: nowS() - 890 });
      await call({ ...operator, scopes: ['rules:write'] });
    });

    it('is refused after an older one, unless the age is configured', async () => {
      const refused = { code: status.PERMISSION_DENIED, reason: 'LOGIN_TOO_OLD' };
      await expect(call({ ...operator, loggedInAtS: nowS() - 910 })).rejects.toMatchObject(refused);
      await call({ ...operator, loggedInAtS: nowS() - 910 }, 1_000);
      await call({ ...operator, loggedInAtS: 0 }, 0);
    });
  });

  it("refuses an API client's token if no scope is named, whatever its roles and scopes", async () => {
    const { target } = await start({ createUser: async () => ({ user }) });
    const accessToken = await identity.tokenFor({ id: 'usr_1', roles: ['operator'], scopes: SCOPES });
    const request = {
      requestId: '',
      username: 'ada',
      password: 'x',
      roles: [],
      externalId: '',
      metadata: {},
    };
    const call = connect(target).createUser(request, { deadlineMs: PATIENCE_MS, accessToken });
    await expect(call).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'INSUFFICIENT_SCOPE',
    });
  });

  it('returns an error of the service with all its details', async () => {
    const { target } = await start({ login: async () => Promise.reject(new FakeError()) });
    await expect(
      connect(target).login({ username: 'ada', password: 'x' }, { deadlineMs: PATIENCE_MS }),
    ).rejects.toMatchObject({
      code: status.ALREADY_EXISTS,
      reason: 'USERNAME_TAKEN',
      domain: 'auth',
      message: 'That name is taken.',
      metadata: { username: 'ada' },
      violations: [{ field: 'username', description: 'is taken' }],
      retryAfterMs: 1500,
    });
  });

  it('returns only an id for an unknown error', async () => {
    const { target } = await start({ login: async () => Promise.reject(new Error('password=hunter2')) });
    const error = await connect(target)
      .login({ username: 'a', password: 'b' }, { deadlineMs: PATIENCE_MS })
      .catch((e) => e);
    expect(error).toMatchObject({
      code: status.INTERNAL,
      reason: 'INTERNAL',
      message: 'Something went wrong on our side.',
    });
    expect(error.metadata.error_id).toMatch(/^err_/);
  });

  it('is not retried if its statement takes too long, because another instance would take as long', async () => {
    let attempts = 0;
    const { target } = await start({
      getJwks: () => {
        attempts += 1;
        return Promise.reject(Object.assign(new Error('canceling statement'), { code: '57014' }));
      },
    });
    await expect(connect(target).getJwks({}, { deadlineMs: PATIENCE_MS })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    expect(attempts).toBe(1);
  });

  it('is ended by the server at the limit of its method, although the handler and the caller still wait', async () => {
    const { target } = await start({ login: () => new Promise(() => {}) }, { login: 50 });
    const call = connect(target).login({ username: 'a', password: 'b' }, { deadlineMs: 3_600_000 });
    await expect(call).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: 'DEADLINE_EXCEEDED',
      // Not `grpc`: the server answered.
      domain: 'auth',
    });
  });

  it('ends at the limit of its method, whatever deadline the caller sets', async () => {
    const deadlines: Record<string, number> = {};
    const note = (method: string, { deadline }: Call) => {
      deadlines[method] = Math.round((deadline.getTime() - Date.now()) / 1_000);
    };
    const { target } = await start(
      {
        getJwks: async (_, call) => {
          note('getJwks', call);
          return { keys: [] };
        },
        login: async (_, call) => {
          note('login', call);
          return {} as never;
        },
      },
      { login: 150_000 },
    );
    const auth = connect(target);
    await auth.getJwks({}, { deadlineMs: 3_600_000 });
    await auth.login({ username: 'a', password: 'b' }, { deadlineMs: 3_600_000 });
    expect(deadlines).toEqual({ getJwks: 60, login: 150 });
  });

  it('has the earlier one of its two deadlines', async () => {
    const deadlines: number[] = [];
    const { target } = await start({
      getJwks: async (_, { deadline }) => {
        deadlines.push(deadline.getTime());
        return { keys: [] };
      },
    });
    const inTime = (ms: number) => Date.now() + ms;
    const expected = [inTime(20_000), inTime(20_000), inTime(30_000)];
    const auth = connect(target);
    await auth.getJwks({}, { deadline: new Date(inTime(20_000)) });
    await auth.getJwks({}, { deadline: new Date(inTime(20_000)), deadlineMs: 50_000 });
    await auth.getJwks({}, { deadline: new Date(inTime(50_000)), deadlineMs: 30_000 });
    // A busy machine may take seconds to send a call.
    for (const [index, at] of expected.entries()) {
      expect(Math.abs((deadlines[index] ?? 0) - at)).toBeLessThan(8_000);
    }
  });

  it('is made without its trace if gRPC cannot send it', async () => {
    const { target } = await start({ getJwks: async () => ({ keys: [] }) });
    const traceparent = `${traceFrom(undefined).traceparent}\n`;
    const odd = { ...traceFrom(undefined), traceparent, requestId: 'ré\u0000quest' };
    const call = runInTrace(odd, () => connect(target).getJwks({}, { deadlineMs: 2_000 }));
    await expect(call).resolves.toEqual({ keys: [] });
  });

  it("belongs to its caller's trace", async () => {
    let seen: string | undefined;
    const { target } = await start({
      getJwks: async () => {
        seen = currentTrace()?.traceId;
        return { keys: [] };
      },
    });
    const trace = traceFrom(undefined);
    await runInTrace(trace, () => connect(target).getJwks({}, { deadlineMs: PATIENCE_MS }));
    expect(seen).toBe(trace.traceId);
  });

  it('is finished before a draining server closes, also if a client probes the connection meanwhile', async () => {
    const begun = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<{ keys: [] }>();
    const getJwks = vi.fn(() => {
      begun.resolve();
      return answer.promise;
    });
    const { server, target } = await start({ getJwks });
    const call = connect(target).getJwks({}, { deadlineMs: PATIENCE_MS });
    await begun.promise;
    const drained = server.drain();
    // Longer than two probes of the client: PROBE_EVERY_MS.
    await setTimeout(700);
    answer.resolve({ keys: [] });
    await Promise.all([drained, expect(call).resolves.toEqual({ keys: [] })]);
    // It was not made again.
    expect(getJwks).toHaveBeenCalledTimes(1);
  });

  it('is not waited for on a connection without calls, even if its client ignores the notice', async () => {
    const { server, target } = await start({ getJwks: async () => ({ keys: [] }) });
    await connect(target).getJwks({}, { deadlineMs: PATIENCE_MS });
    const { cert, key, ca } = testCertificates().current();
    const silent = connectTls({
      ...{ port: server.port, host: '127.0.0.1', ALPNProtocols: ['h2'] },
      ...{ cert, key, ca, checkServerIdentity: () => undefined },
    });
    closing.push(() => silent.destroy());
    await once(silent, 'secureConnect');
    const startedAt = performance.now();
    await server.drain();
    // Far from the limit of a connection with calls: LEAVE_LIMIT_MS.
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});

/** Bytes, as grpcurl and clients in other languages send them. */
function sendBytes(target: string, path: string, request: Buffer): Promise<number[]> {
  const client = new Client(target, testCredentials('auth'));
  closing.push(() => client.close());
  const same = (bytes: Buffer) => bytes;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, request, new Metadata(), (error, bytes) =>
      error ? reject(error) : resolve([...(bytes ?? [])]),
    );
  });
}

it('refuses bytes that are not a message of the method, and says so', async () => {
  const login = vi.fn();
  const { target } = await start({ login });
  const refusal = await sendBytes(target, AuthServiceService.login.path, Buffer.from([0x0a, 0x7f])).catch(
    (error) => fromServiceError(error),
  );
  expect(refusal).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'UNREADABLE_REQUEST' });
  expect(login).not.toHaveBeenCalled();
});

it('answers health checks', async () => {
  const { target } = await start({});
  const health = await sendBytes(target, '/grpc.health.v1.Health/Check', Buffer.alloc(0));
  expect(health).toEqual([8, 1]); // field 1: SERVING
});

it('describes its contract to grpcurl, with the full name of every type', async () => {
  const { target } = await start({});
  const client = new Client(target, testCredentials('auth'));
  closing.push(() => client.close());
  const symbol = Buffer.from('payflowx.auth.v1.AuthService');
  const fileContainingSymbol = Buffer.concat([Buffer.from([0x22, symbol.length]), symbol]);
  const same = (bytes: Buffer) => bytes;
  const stream = client.makeBidiStreamRequest(
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    same,
    same,
    new Metadata(),
  );
  const answer = await new Promise<Buffer>((resolve, reject) => {
    stream.on('data', resolve).on('error', reject);
    stream.write(fileContainingSymbol);
  });
  stream.end();
  expect(answer.toString('latin1')).toContain('.google.protobuf.Timestamp');
  expect(answer.toString('latin1')).toContain('.payflowx.auth.v1.TokenPair');
});

describe('a page token', () => {
  const list: Partial<Handlers<typeof AuthServiceService>> = {
    listUsers: async ({ pageToken }) => ({ users: [user], nextPageToken: pageToken === '' ? 'usr_1' : '' }),
  };
  const operator = { id: 'usr_1', roles: ['operator'] } as const;
  const as = async (id: string = operator.id) => ({
    deadlineMs: PATIENCE_MS,
    accessToken: await identity.tokenFor({ ...operator, id }),
  });
  const first = { pageSize: 1, pageToken: '' };
  const refused = { code: status.INVALID_ARGUMENT, reason: 'INVALID_PAGE_TOKEN' };

  it('is accepted by every instance with the same key, and refused after the key changed', async () => {
    const [one, same, other] = await Promise.all([
      start(list),
      start(list),
      start(list, {}, Buffer.alloc(32, 'another key')),
    ]);
    const { nextPageToken: pageToken } = await connect(one.target).listUsers(first, await as());
    const next = { ...first, pageToken };
    expect(await connect(same.target).listUsers(next, await as())).toMatchObject({ nextPageToken: '' });
    await expect(connect(other.target).listUsers(next, await as())).rejects.toMatchObject(refused);
  });

  it('is the same for a client that asks for another page size', async () => {
    const { target } = await start(list);
    const { nextPageToken: pageToken } = await connect(target).listUsers(first, await as());
    const next = { pageSize: 50, pageToken };
    expect(await connect(target).listUsers(next, await as())).toMatchObject({ nextPageToken: '' });
  });

  it('that a service does not authenticate fails the test that all services share', async () => {
    const service = bindService({ listUsers: AuthServiceService.listUsers } as never, {
      access: { listUsers: access.listUsers } as never,
      errors: errorTable('auth', FakeError, { USERNAME_TAKEN: status.ALREADY_EXISTS }),
      handlers: list as never,
    });
    const { target, stop } = await startTestServer(identity.verifier, [service]);
    closing.push(stop);
    const attack = attackedList({
      call: connect(target).listUsers,
      filters: {},
      as: await as(),
      otherCallers: [await as('usr_2')],
      otherFilters: [],
    });
    const attacking = expectTokensToBeBound([{ listUsers: AuthServiceService.listUsers }], {
      listUsers: attack,
    });
    await expect(attacking).rejects.toThrow('listUsers: ');
  });
});
