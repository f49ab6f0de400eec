/**
 * Rotates the signing keys. A new key is announced, becomes active when all verifiers know it, and is replaced when it is old.
 */
import type { Keys, Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { AUTH } from '../domain/audit.ts';
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
  sealingKey: Keys;
  rotation: RotationPolicy;
}

export type Announced = KeyStates & { next: NonNullable<KeyStates['next']> };

/** Announces the next key, or returns the one that is already announced. */
export async function rotateSigningKey(deps: RotationDeps, origin: Origin): Promise<Announced> {
  const key = makeSigningKey(deps.sealingKey);
  return inTransaction(deps.db, async (trx) => {
    await lockSigningKeys(trx);
    const { active, next } = await findKeyStates(trx);
    return { active, next: next ?? (await announce(trx, deps, { key, origin, replaces: active.kid })) };
  });
}

/**
 * Does the step that is due: announces the next key, or activates the announced one. Returns that step. Any instance may call it
 * at any time; the second of two finds the step done.
 */
export async function runDueRotationStep(deps: RotationDeps): Promise<'announced' | 'activated' | undefined> {
  const { db, now, rotation } = deps;
  // Usually no step is due, and this check needs no lock.
  if (!dueStep(await findKeyStates(db), now(), rotation)) return undefined;
  const key = makeSigningKey(deps.sealingKey);
  return inTransaction(db, async (trx) => {
    await lockSigningKeys(trx);
    const states = await findKeyStates(trx);
    switch (dueStep(states, now(), rotation)) {
      case 'announce':
        await announce(trx, deps, { key, origin: AUTH, replaces: states.active.kid });
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
  { key, origin, replaces }: { key: SealedSigningKey; origin: Origin; replaces: string },
): Promise<Announced['next']> {
  const now = clock();
  const activatesAt = new Date(now.getTime() + rotation.announceMs);
  await insertNextSigningKey(trx, key, { now, activatesAt });
  const details = { replaces, activates_at: activatesAt };
  await insertAuditRecord(trx, origin, { action: 'key.rotated', subjectId: key.kid, details }, now);
  return { kid: key.kid, activatesAt };
}
