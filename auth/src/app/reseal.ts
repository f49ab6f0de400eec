/** Seals stored secrets again with the first of the sealing keys, so that the others are no longer needed. */
import { type Keys, type Logger, listKeys } from '@payflowx/chassis';
import {
  type ResealResult,
  reportResealing,
  resealTable,
  type SealedTable,
} from '@payflowx/chassis/postgres';
import { resealed } from '@payflowx/chassis/sealing';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { listSealedFactors, replaceFactorSecret } from '../store/second-factors.ts';
import { listSealedSigningKeys, replaceSealedSigningKey } from '../store/signing-keys.ts';

interface Deps {
  db: Kysely<Database>;
  sealingKey: Keys;
}

type Table = SealedTable<Database, { id: string; sealed: Buffer }>;

const TABLES: Pick<Table, 'list' | 'replace'>[] = [
  { list: listSealedSigningKeys, replace: replaceSealedSigningKey },
  { list: listSealedFactors, replace: replaceFactorSecret },
];

/** Reads all rows, so it does nothing while there is only one key. */
export async function resealSecrets({ db, sealingKey }: Deps): Promise<ResealResult> {
  const sum = { resealed: 0, unreadable: 0 };
  if (listKeys(sealingKey).length === 1) return sum;
  const reseal: Table['reseal'] = ({ id, sealed: before }) => {
    const sealed = resealed(before, id, sealingKey);
    return sealed && { id, sealed };
  };
  for (const table of TABLES) {
    const { resealed: count, unreadable } = await resealTable(db, { ...table, reseal });
    sum.resealed += count;
    sum.unreadable += unreadable;
  }
  return sum;
}

const AGAIN_AFTER_MS = 10 * 60_000;

/**
 * The task of the upkeep. It looks again from time to time: an instance with an older setting may still seal with another key.
 */
export function resealFromTimeToTime(deps: Deps & { now(): Date; log: Logger }): () => Promise<void> {
  let nextAt = 0;
  return async () => {
    if (listKeys(deps.sealingKey).length === 1 || deps.now().getTime() < nextAt) return;
    const result = await resealSecrets(deps);
    nextAt = deps.now().getTime() + AGAIN_AFTER_MS;
    reportResealing(deps.log, 'AUTH_SEALING_KEY', result);
  };
}
