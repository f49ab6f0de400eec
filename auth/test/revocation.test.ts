/** A service, with the chassis' own connection to auth, learns what auth has revoked. */
import { connectIdentity, createRevocationList, type Identity } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import {
  PATIENCE_MS,
  recordingLog,
  sessionOf,
  type TestDatabase,
  testCertificates,
  untilBlocked,
} from '@payflowx/chassis/testing';
import { createDecoder } from 'fast-jwt';
import type { Transaction } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../src/store/database.ts';
import { deleteExpiredRevocations, insertRevocations } from '../src/store/revocations.ts';
import { type AuthServer, createUsers, freshDatabase, PASSWORD, SESSIONS, startAuth } from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let database: TestDatabase;
const running: { stop(): unknown }[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  await createUsers(database);
});
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});
afterAll(() => database?.drop());

async function start(port = 0): Promise<AuthServer> {
  const auth = await startAuth(database, { port });
  running.push(auth);
  return auth;
}

function connect(...instances: AuthServer[]): Identity {
  const target = `ipv4:${instances.map(({ target: address }) => address).join(',')}`;
  const settings = { target, certificates: testCertificates('payment') };
  const identity = connectIdentity(settings, recordingLog().log);
  running.push({ stop: () => identity.close() });
  return identity;
}

async function login(auth: AuthServer) {
  const { tokens } = await auth.client.login({ username: 'customer', password: PASSWORD }, { deadlineMs });
  return { access: tokens?.accessToken ?? '', refresh: tokens?.refreshToken ?? '' };
}

/** Resolves when the service refuses the token, with the milliseconds that it took. */
async function refusedAfterMs({ verifier }: Identity, token: string): Promise<number> {
  const since = performance.now();
  for (;;) {
    const isAccepted = await verifier.verify(token).then(
      () => true,
      () => false,
    );
    const ms = performance.now() - since;
    if (!isAccepted) return ms;
    if (ms > PATIENCE_MS) throw new Error('The token is still accepted.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a service', () => {
  it('refuses a token that it verified before, soon after its session ends at another instance', async () => {
    const [one, two] = [await start(), await start()];
    const service = connect(one);
    const { access, refresh } = await login(one);
    await service.verifier.verify(access);
    await two.client.logout({ refreshToken: refresh }, { deadlineMs });
    await refusedAfterMs(service, access);
  });

  it('accepts no token before it knows the list', async () => {
    const auth = await start();
    const { access, refresh } = await login(auth);
    await auth.client.logout({ refreshToken: refresh }, { deadlineMs });
    await expect(connect(auth).verifier.verify(access)).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });

  it('keeps its list while auth is unavailable, and catches up when auth is back', async () => {
    const first = await start();
    const service = connect(first);
    const [before, during, valid] = [await login(first), await login(first), await login(first)];
    for (const { access } of [before, during, valid]) await service.verifier.verify(access);
    await first.client.logout({ refreshToken: before.refresh }, { deadlineMs });
    await refusedAfterMs(service, before.access);

    const port = Number(first.target.split(':')[1]);
    running.splice(running.indexOf(first), 1);
    await first.stop();
    // An instance that the service does not know.
    const elsewhere = await start();
    await elsewhere.client.logout({ refreshToken: during.refresh }, { deadlineMs });
    await expect(service.verifier.verify(before.access)).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
    await service.verifier.verify(during.access);

    await start(port);
    await refusedAfterMs(service, during.access);
    await service.verifier.verify(valid.access);
  });

  it('goes on with the other instance when one stops', async () => {
    const [one, two] = [await start(), await start()];
    const service = connect(one, two);
    const { access, refresh } = await login(one);
    await service.verifier.verify(access);
    running.splice(running.indexOf(one), 1);
    await one.stop();
    await two.client.logout({ refreshToken: refresh }, { deadlineMs });
    await refusedAfterMs(service, access);
  });

  it('reads the whole list again if auth lost its database', async () => {
    const auth = await start();
    const service = connect(auth);
    const { access, refresh } = await login(auth);
    await service.verifier.verify(access);
    const request = { afterPosition: 1_000_000n, wait: false };
    await auth.client.logout({ refreshToken: refresh }, { deadlineMs });
    const page = await auth.gateway.listRevocations(request, { deadlineMs });
    expect(page.revocations.length).toBeGreaterThan(0);
    expect(page.position).toBeLessThan(1_000_000n);
  });
});

describe('the list', () => {
  it('has the order of the commits, so no reader misses a row that commits late', async () => {
    const auth = await start();
    let position = 0n;
    const read = async () => {
      const request = { afterPosition: position, wait: false };
      const page = await auth.gateway.listRevocations(request, { deadlineMs });
      position = page.position;
      return page.revocations.map(({ id }) => id);
    };
    await read();
    const revoke = (trx: Transaction<Database>, id: string) =>
      insertRevocations(trx, [id], { now: new Date() });
    const stored = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const first = inTransaction(auth.db, async (trx) => {
      await revoke(trx, 'fam_early');
      stored.resolve();
      await mayCommit.promise;
    });
    await stored.promise;
    const session = Promise.withResolvers<number>();
    const second = inTransaction(auth.db, async (trx) => {
      session.resolve(await sessionOf(trx));
      await revoke(trx, 'fam_late');
    });
    // The second transaction waits for the first, or commits before it.
    await Promise.race([untilBlocked(auth.db, session.promise), second]);
    const between = await read();
    mayCommit.resolve();
    await Promise.all([first, second]);
    expect([...between, ...(await read())]).toEqual(['fam_early', 'fam_late']);
    await auth.db.deleteFrom('revocations').where('id', 'in', ['fam_early', 'fam_late']).execute();
  });

  it('is read in pages to its end, each entry once', async () => {
    const auth = await start();
    const known = (await auth.db.selectFrom('revocations').select('id').execute()).map(({ id }) => id);
    const ids = Array.from({ length: 2_100 }, (_, n) => `fam_${n}`);
    await inTransaction(auth.db, (trx) => insertRevocations(trx, ids, { now: new Date() }));
    const seen: string[] = [];
    let [position, isMore] = [0n, true];
    for (let pages = 0; isMore && pages < 10; pages += 1) {
      const request = { afterPosition: position, wait: false };
      const page = await auth.gateway.listRevocations(request, { deadlineMs });
      seen.push(...page.revocations.map(({ id }) => id));
      ({ position, more: isMore } = page);
    }
    expect(isMore).toBe(false);
    expect(seen).toEqual(expect.arrayContaining(known));
    expect(seen.filter((id) => !known.includes(id))).toEqual(ids);
    await auth.db.deleteFrom('revocations').where('id', 'in', ids).execute();
  });

  it('has the tokens of a session until the last one has expired, however long ago it was used', async () => {
    const auth = await start();
    auth.stopClockAt(new Date());
    const revokedAfter = async (ms: number) => {
      const { access, refresh } = await login(auth);
      auth.skip(ms);
      await auth.client.logout({ refreshToken: refresh }, { deadlineMs });
      auth.skip(-ms);
      const { sid } = createDecoder()(access);
      const { numDeletedRows } = await auth.db
        .deleteFrom('revocations')
        .where('id', '=', sid)
        .executeTakeFirst();
      return numDeletedRows === 1n;
    };
    expect(await revokedAfter(SESSIONS.refreshLifetimeMs - 1_000)).toBe(true);
  });

  it('has the token of a retried refresh, which is younger than the refresh', async () => {
    const auth = await startAuth(database, {
      sessions: { refreshLifetimeMs: 3_600_000, sessionLifetimeMs: 3_600_000 },
    });
    running.push(auth);
    auth.stopClockAt(new Date());
    const { refresh } = await login(auth);
    const retry = { refreshToken: refresh, requestId: 'lost-response' };
    await auth.client.refreshTokens(retry, { deadlineMs });
    auth.skip(59_000);
    const { tokens } = await auth.client.refreshTokens(retry, { deadlineMs });
    const { sid, exp } = createDecoder()(tokens?.accessToken ?? '');
    auth.skip(290_000);
    expect(exp * 1_000).toBeGreaterThan(auth.now().getTime());
    await auth.client.logout({ refreshToken: tokens?.refreshToken ?? '' }, { deadlineMs });
    const revoked = await auth.db.deleteFrom('revocations').where('id', '=', sid).executeTakeFirst();
    expect(revoked.numDeletedRows).toBe(1n);
  });

  it('loses an entry only after the tokens have expired', async () => {
    const auth = await start();
    const { refresh } = await login(auth);
    await auth.client.logout({ refreshToken: refresh }, { deadlineMs });
    const count = async () => (await auth.db.selectFrom('revocations').select('id').execute()).length;
    const before = await count();
    await deleteExpiredRevocations(auth.db, new Date(Date.now() + 300_000));
    expect(await count()).toBe(before);
    await deleteExpiredRevocations(auth.db, new Date(Date.now() + 400_000));
    expect(await count()).toBe(0);
  });

  it('forgets expired entries in the service too', () => {
    let now = 0;
    const list = createRevocationList(() => now);
    const caller = { id: 'usr_1', roles: [] };
    const token = { caller: { ...caller, sessionId: 'fam_1' }, iat: 5 };
    list.add([{ id: 'fam_1', notBeforeS: undefined, expiresAt: new Date(1_000) }]);
    expect(list.isRevoked(token)).toBe(true);
    now = 1_000;
    list.add([{ id: 'usr_1', notBeforeS: 5, expiresAt: new Date(9_000) }]);
    expect(list.isRevoked(token)).toBe(false);
    expect(list.isRevoked({ ...token, iat: 4 })).toBe(true);
    // An earlier beginning does not replace a later one.
    list.add([{ id: 'usr_1', notBeforeS: 3, expiresAt: new Date(9_000) }]);
    expect(list.isRevoked({ ...token, iat: 4 })).toBe(true);
  });
});
