import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { recordingLog } from '../testing/index.ts';
import { NeighbourError } from './errors.ts';
import {
  createRevocationList,
  followRevocations,
  type ReadRevocations,
  type Revocation,
  type RevocationFollower,
  type RevocationPage,
} from './revocations.ts';

const caller = { id: 'usr_1', roles: [], sessionId: 'fam_1', clientId: 'cli_1' };
const entry = (id: string, notBeforeS?: number, expiresMs = 9_000): Revocation => ({
  id,
  notBeforeS,
  expiresAt: new Date(expiresMs),
});

describe('the list', () => {
  it.each([
    ['of the user', { id: 'usr_1' }, true],
    ['of the session', { id: 'fam_1' }, true],
    ['of the API client', { id: 'cli_1' }, true],
    ['of another user', { id: 'usr_2' }, false],
    ['that begin before a second', { id: 'usr_1', notBeforeS: 101 }, true],
    ['that begin at that second or later', { id: 'usr_1', notBeforeS: 100 }, false],
  ])('revokes the tokens %s', (_, { id, notBeforeS }: { id: string; notBeforeS?: number }, isRevoked) => {
    const list = createRevocationList(() => 0);
    list.add([entry(id, notBeforeS)]);
    expect(list.isRevoked({ caller, iat: 100 })).toBe(isRevoked);
  });

  it('revokes tokens without a time of their beginning', () => {
    const list = createRevocationList(() => 0);
    list.add([entry('usr_1', 1)]);
    expect(list.isRevoked({ caller })).toBe(true);
  });

  it('keeps the strongest of several entries, and each until it expires', () => {
    let now = 0;
    const list = createRevocationList(() => now);
    list.add([entry('fam_1', undefined, 5_000), entry('usr_1', 50, 5_000)]);
    list.add([entry('fam_1', 10, 6_000), entry('usr_1', 40, 6_000)]);
    expect(list.isRevoked({ caller: { ...caller, id: 'usr_2' }, iat: 100 })).toBe(true);
    expect(list.isRevoked({ caller: { id: 'usr_1', roles: [] }, iat: 49 })).toBe(true);
    now = 5_999;
    list.add([entry('usr_9')]);
    expect(list.isRevoked({ caller, iat: 100 })).toBe(true);
    now = 6_000;
    list.add([entry('usr_9')]);
    expect(list.isRevoked({ caller, iat: 0 })).toBe(false);
  });
});

describe('following the list', () => {
  let follower: RevocationFollower | undefined;
  afterEach(() => follower?.stop());

  /** Follows a source whose answers the test gives one after the other. */
  function follow() {
    const asked: Parameters<ReadRevocations>[0][] = [];
    const waiting: PromiseWithResolvers<RevocationPage>[] = [];
    let notify = () => {};
    const read: ReadRevocations = (after) => {
      asked.push(after);
      const answer = Promise.withResolvers<RevocationPage>();
      waiting.push(answer);
      notify();
      return answer.promise;
    };
    /** The next request that waits for its answer. */
    const next = async () => {
      while (waiting.length === 0)
        await new Promise<void>((resolve) => {
          notify = resolve;
        });
      return waiting.shift() as PromiseWithResolvers<RevocationPage>;
    };
    const list = createRevocationList(() => 0);
    follower = followRevocations(list, read, recordingLog().log);
    return { asked, next, list, follower };
  }
  const page = (ids: string[], position: bigint, more = false): RevocationPage => ({
    revocations: ids.map((id) => entry(id)),
    position,
    more,
  });
  /** True if the promise is settled after all work that is due. */
  const isSettled = async (work: Promise<unknown>) => {
    const pending = Symbol('pending');
    await new Promise((resolve) => setImmediate(resolve));
    return (await Promise.race([work.then(String, String), pending])) !== pending;
  };

  it('is ready when the last page was read, and not before', async () => {
    const source = follow();
    const loaded = source.follower.loaded();
    (await source.next()).resolve(page(['fam_1'], 1_000n, true));
    const second = await source.next();
    expect(await isSettled(loaded)).toBe(false);
    second.resolve(page(['fam_2'], 1_001n));
    await loaded;
    await source.next();
    for (const sessionId of ['fam_1', 'fam_2'])
      expect(source.list.isRevoked({ caller: { ...caller, sessionId }, iat: 1 })).toBe(true);
    // It waits for news only when it has everything.
    expect(source.asked).toEqual([
      { position: 0n, wait: false },
      { position: 1_000n, wait: false },
      { position: 1_001n, wait: true },
    ]);
  });

  it('rejects while the source is unavailable, keeps its position, and is ready when the source is back', async () => {
    const source = follow();
    const first = source.follower.loaded();
    (await source.next()).resolve(page(['fam_1'], 7n, true));
    (await source.next()).reject(new Error('unavailable'));
    await expect(first).rejects.toThrow('unavailable');
    const second = source.follower.loaded();
    (await source.next()).resolve(page([], 7n));
    await second;
    (await source.next()).reject(new Error('unavailable again'));
    // The revocations read before stay in force.
    await source.follower.loaded();
    expect(source.list.isRevoked({ caller, iat: 1 })).toBe(true);
    expect(source.asked.map(({ position }) => position)).toEqual([0n, 7n, 7n, 7n]);
  });

  it('is ready without a list if auth has none', async () => {
    const source = follow();
    const loaded = source.follower.loaded();
    const unsupported = { code: status.UNIMPLEMENTED, message: 'no such method', details: [] };
    (await source.next()).reject(new NeighbourError(unsupported));
    await loaded;
  });
});
