/** Returns the decision that a payment would get now. Writes nothing and waits for no lock. */
import type { Kysely } from 'kysely';
import { authorize } from '../domain/authorize.ts';
import type { Decision } from '../domain/decision.ts';
import type { PaymentRequest } from '../domain/step-request.ts';
import { readAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import type { RulesInForce } from './rules-in-force.ts';

interface SimulateDeps {
  db: Kysely<Database>;
  now: () => Date;
  holdTtlMs: number;
  rules: RulesInForce;
  sandbox?: boolean | undefined;
}

/** Decides like a real payment, but the accounts are read without a lock. */
export async function simulateAuthorization(
  { db, now, holdTtlMs, rules, sandbox }: SimulateDeps,
  request: PaymentRequest,
): Promise<Decision> {
  const { accounts, tryRules } = await db
    .transaction()
    .setAccessMode('read only')
    .execute(async (trx) => ({
      ...(await readAccounts(trx, [request.fromAccount, request.toAccount])),
      tryRules: await rules.now(trx),
    }));
  const context = { now: now(), holdTtlMs, rules: tryRules, sandbox };
  return authorize(request, { accounts, holds: new Map() }, context).decision;
}
