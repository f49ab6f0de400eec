/** Signing keys take turns: one is announced, takes over when everybody knows it, and is replaced when it is old. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { type Actor, AUTH } from '../domain/audit.ts';
import { dueStep, type KeyStates, type RotationPolicy } from '../domain/key-rotation.ts';
import { makeSigningKey, type SealedSigningKey } from '../domain/signing-key.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import {
  activateNextSigningKey,
  findKeyStates,
  insertNextSigningKey,
  lockSigningKeys,
} from '../store/signing-keys.ts';

export interface RotationDeps {
  db: Kysely<Database>;
  now(): Date;
  sealingKey: Buffer;
  rotation: RotationPolicy;
}

export type Announced = KeyStates & { next: NonNullable<KeyStates['next']> };

/** Announces the next key, or tells which is announced already. */
export async function rotateSigningKey(deps: RotationDeps, actor: Actor): Promise<Announced> {
  const key = makeSigningKey(deps.sealingKey);
  return inTransaction(deps.db, async (trx) => {
    await lockSigningKeys(trx);
    const { active, next } = await findKeyStates(trx);
    return { active, next: next ?? (await announce(trx, deps, { key, actor, replaces: active.kid })) };
  });
}

/**
 * Does what is due by now: announces, or lets the announced key take over. Any instance may at any time: whoever comes second
 * finds it done. Says what it did.
 */
export async function turnSigningKeys(deps: RotationDeps): Promise<'announced' | 'activated' | undefined> {
  const { db, now, rotation } = deps;
  // Nearly always there is nothing to do, and that is seen without a lock.
  if (!dueStep(await findKeyStates(db), now(), rotation)) return undefined;
  const key = makeSigningKey(deps.sealingKey);
  return inTransaction(db, async (trx) => {
    await lockSigningKeys(trx);
    const states = await findKeyStates(trx);
    switch (dueStep(states, now(), rotation)) {
      case 'announce':
        await announce(trx, deps, { key, actor: AUTH, replaces: states.active.kid });
        return 'announced';
      case 'activate':
        await activateNextSigningKey(trx, now());
        return 'activated';
      default:
        return undefined;
    }
  });
}

async function announce(
  trx: Transaction<Database>,
  { now: clock, rotation }: RotationDeps,
  { key, actor, replaces }: { key: SealedSigningKey; actor: Actor; replaces: string },
): Promise<Announced['next']> {
  const now = clock();
  const activatesAt = new Date(now.getTime() + rotation.announceMs);
  await insertNextSigningKey(trx, key, { now, activatesAt });
  const details = { replaces, activates_at: activatesAt };
  await insertAuditRecord(trx, actor, { action: 'key.rotated', subjectId: key.kid, details }, now);
  return { kid: key.kid, activatesAt };
}
