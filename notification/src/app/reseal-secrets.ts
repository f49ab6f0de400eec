/** Seals the secrets of webhook endpoints again with the first of the sealing keys, so that the others are no longer needed. */
import { type Keys, type Logger, listKeys, type Repetition, repeat } from '@payflowx/chassis';
import { type ResealResult, reportResealing, resealTable } from '@payflowx/chassis/postgres';
import { resealed } from '@payflowx/chassis/sealing';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { listSealedSecrets, replaceSealedSecrets } from '../store/endpoints.ts';

interface ResealDeps {
  db: Kysely<Database>;
  sealingKey: Keys;
  log: Logger;
}

/** An instance with an older setting may still seal with another key, so it looks again. */
const EVERY_MS = 10 * 60_000;

/** Does nothing while there is only one key. */
export function startResealing(deps: ResealDeps): Repetition {
  const round = async () => {
    if (listKeys(deps.sealingKey).length > 1)
      reportResealing(deps.log, 'WEBHOOK_SEALING_KEY', await resealSecrets(deps));
    return false;
  };
  return repeat('the resealing of secrets', EVERY_MS, round, deps.log);
}

/** Counts endpoints. Each has up to two secrets. */
export function resealSecrets({ db, sealingKey }: Omit<ResealDeps, 'log'>): Promise<ResealResult> {
  return resealTable(db, {
    list: listSealedSecrets,
    replace: replaceSealedSecrets,
    reseal: (row) => resealedRow(row, sealingKey),
  });
}

type Sealed = Awaited<ReturnType<typeof listSealedSecrets>>[number];

/** Undefined if both secrets are sealed with the first key. */
function resealedRow({ id, secret, previous_secret }: Sealed, keys: Keys): Sealed | undefined {
  const current = resealed(secret, id, keys);
  const previous = previous_secret === null ? undefined : resealed(previous_secret, id, keys);
  if (!current && !previous) return undefined;
  return { id, secret: current ?? secret, previous_secret: previous ?? previous_secret };
}
