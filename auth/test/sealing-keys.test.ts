/** Sealing keys and page token keys are replaced while instances serve, one after the other, as docs/operators/keys.md says. */
import { randomBytes } from 'node:crypto';
import { NeighbourError } from '@payflowx/chassis';
import { unseal } from '@payflowx/chassis/sealing';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { Secret, TOTP } from 'otpauth';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type AuthServer,
  createUsers,
  freshDatabase,
  newUserRequest,
  PASSWORD,
  refusal,
  startAuth,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];

let database: Awaited<ReturnType<typeof freshDatabase>>;
let running: AuthServer[];
/** The clock of all instances. */
let clock: Date;

beforeEach(async () => {
  database = await freshDatabase();
  await createUsers(database);
  running = [];
  clock = new Date();
});
afterEach(async () => {
  await Promise.all(running.map((instance) => instance.stop()));
  await database?.drop();
});

type Settings = NonNullable<Parameters<typeof startAuth>[1]>;

async function start(settings: Settings): Promise<AuthServer> {
  const instance = await startAuth(database, settings);
  instance.stopClockAt(clock);
  running.push(instance);
  return instance;
}

async function stop(instance: AuthServer): Promise<void> {
  running = running.filter((each) => each !== instance);
  await instance.stop();
}

/** The code of the present time step is new again. The clock stands still, because tokens from further ahead are refused. */
async function forgetCodes({ db }: AuthServer): Promise<void> {
  await db.updateTable('second_factors').set({ last_step: 0n }).execute();
}

let made = 0;
async function userWithApp(at: AuthServer) {
  made += 1;
  const username = `sealed-${made}`;
  const admin = { deadlineMs, accessToken: (await tokensOf(at)).admin };
  const wanted = newUserRequest({ username });
  await at.client.createUser(wanted, admin);
  const { tokens } = await at.client.login({ username, password: PASSWORD }, { deadlineMs });
  const call = { deadlineMs, accessToken: tokens?.accessToken ?? '' };
  const { factor, secret } = await at.client.createSecondFactor({ kind: 'totp', name: 'Phone' }, call);
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const code = () => totp.generate({ timestamp: clock.getTime() });
  await at.client.confirmSecondFactor({ factorId: factor?.id ?? '', code: code() }, call);
  // It has no secret that could be sealed.
  await at.client.createSecondFactor({ kind: 'passkey', name: 'Laptop' }, call);
  return { username, code, factorId: factor?.id ?? '' };
}

/** Logs in with the app. */
async function logIn(at: AuthServer, { username, code }: { username: string; code: () => string }) {
  await forgetCodes(at);
  const refused = await at.client
    .login({ username, password: PASSWORD }, { deadlineMs })
    .catch((error: unknown) => error);
  const challenge = refused instanceof NeighbourError ? (refused.metadata.challenge ?? '') : '';
  const { tokens } = await at.client.completeLogin(
    { challenge, code: code(), recoveryCode: '' },
    { deadlineMs },
  );
  return { deadlineMs, accessToken: tokens?.accessToken ?? '' };
}

async function sealedSecrets(at: AuthServer) {
  const factors = await at.db
    .selectFrom('second_factors')
    .select(['id', 'sealed_secret as sealed'])
    .where('kind', '=', 'totp')
    .execute();
  const keys = await at.db
    .selectFrom('signing_keys')
    .select(['kid as id', 'sealed_private_key as sealed'])
    .execute();
  return [...factors, ...keys];
}

it('a sealing key is replaced instance by instance, and logins with an app go on all the time', async () => {
  let [one, two] = [await start({ sealingKey: oldKey }), await start({ sealingKey: oldKey })];
  const early = await userWithApp(one);
  const check = async (users: (typeof early)[]) => {
    for (const user of users) {
      for (const instance of [one, two]) {
        const call = await logIn(instance, user);
        // The other instance accepts the token too.
        await (instance === one ? two : one).client.getMe({}, call);
      }
    }
  };

  // 1. Every instance learns the new key. The old one is still first.
  await stop(one);
  one = await start({ sealingKey: [oldKey, newKey] });
  await check([early]);
  await stop(two);
  two = await start({ sealingKey: [oldKey, newKey] });

  // 2. The new key becomes the first. The other instance opens what is sealed with it.
  await stop(one);
  one = await start({ sealingKey: [newKey, oldKey] });
  const between = await userWithApp(one);
  await check([early, between]);
  await one.reseal();
  const late = await userWithApp(two);
  await check([early, between, late]);
  await stop(two);
  two = await start({ sealingKey: [newKey, oldKey] });
  expect(await two.reseal()).toEqual({ resealed: 1, unreadable: 0 });
  expect(await two.reseal()).toEqual({ resealed: 0, unreadable: 0 });

  // 3. The old key is removed.
  for (const { id, sealed } of await sealedSecrets(one)) {
    expect(() => unseal(sealed as Buffer, id, newKey)).not.toThrow();
  }
  await stop(one);
  one = await start({ sealingKey: newKey });
  await check([early, between, late]);
});

it('two instances that seal again at once lose nothing, and one row is sealed once', async () => {
  const before = await start({ sealingKey: oldKey });
  const users = [await userWithApp(before), await userWithApp(before)];
  await stop(before);
  const both = [await start({ sealingKey: [newKey, oldKey] }), await start({ sealingKey: [newKey, oldKey] })];
  await Promise.all(both.map((instance) => instance.reseal()));
  for (const instance of both) expect(await instance.reseal()).toEqual({ resealed: 0, unreadable: 0 });
  for (const user of users) await logIn(both[0] as AuthServer, user);
});

it('a secret of a lost key is reported, and does not stop the others', async () => {
  const before = await start({ sealingKey: oldKey });
  const { factorId } = await userWithApp(before);
  await before.db
    .updateTable('second_factors')
    .set({ sealed_secret: randomBytes(48) })
    .where('id', '=', factorId)
    .execute();
  await userWithApp(before);
  const after = await start({ sealingKey: [newKey, oldKey] });
  // The other app, and the signing key.
  expect(await after.reseal()).toEqual({ resealed: 2, unreadable: 1 });
});

it('a page token key is replaced, and lists that clients have begun go on', async () => {
  let [one, two] = [await start({ pageTokenKey: oldKey }), await start({ pageTokenKey: oldKey })];
  const call = { deadlineMs, accessToken: (await tokensOf(one)).admin };
  const list = (at: AuthServer, pageToken: string) => at.client.listUsers({ pageSize: 1, pageToken }, call);
  const begun = (await list(one, '')).nextPageToken;
  for (const pageTokenKey of [
    [oldKey, newKey],
    [newKey, oldKey],
  ]) {
    await stop(one);
    one = await start({ pageTokenKey });
    // Tokens of either instance are valid at both.
    for (const token of [begun, (await list(one, '')).nextPageToken, (await list(two, '')).nextPageToken]) {
      expect((await list(one, token)).users).toHaveLength(1);
      expect((await list(two, token)).users).toHaveLength(1);
    }
    await stop(two);
    two = await start({ pageTokenKey });
  }
  await stop(one);
  one = await start({ pageTokenKey: newKey });
  await list(one, (await list(two, '')).nextPageToken);
  expect(await refusal(list(one, begun))).toMatchObject({ reason: 'INVALID_PAGE_TOKEN' });
});
