/** Returns the decision that a payment would get now. Writes nothing and waits for no lock. */
import type { Kysely } from 'kysely';
import type { Account } from '../domain/account.ts';
import { authorize, authorizeByMandate } from '../domain/authorize.ts';
import type { Decision } from '../domain/decision.ts';
import type { PaymentRequest } from '../domain/step-request.ts';
import { readAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { findMandates } from '../store/mandates.ts';
import type { RulesInForce } from './rules-in-force.ts';

interface SimulateDeps {
  db: Kysely<Database>;
  now: () => Date;
  holdTtlMs: number;
  rules: RulesInForce;
  sandbox?: boolean | undefined;
}

/**
 * Decides like a real payment, but the accounts are read without a lock. For a payee that would collect by a mandate, only the mandate is
 * checked: the rest is about the payer's account, and the payer does not see a simulation.
 */
export async function simulateAuthorization(
  { db, now, holdTtlMs, rules, sandbox }: SimulateDeps,
  request: PaymentRequest,
): Promise<Decision> {
  const { mandateId } = request;
  const { accounts, mandates, tryRules } = await db
    .transaction()
    .setAccessMode('read only')
    .execute(async (trx) => ({
      ...(await readAccounts(trx, [request.fromAccount, request.toAccount])),
      mandates: mandateId === undefined ? new Map() : await findMandates(trx, [mandateId]),
      tryRules: await rules.now(trx),
    }));
  const context = { now: now(), holdTtlMs, rules: tryRules, sandbox };
  const decide = mandateId === undefined || seesPayer(request, accounts) ? authorize : authorizeByMandate;
  return decide(request, { accounts, holds: new Map(), mandates }, context).decision;
}

function seesPayer(
  { callerId, callerRoles, fromAccount }: PaymentRequest,
  accounts: ReadonlyMap<string, Account>,
): boolean {
  return callerRoles.includes('operator') || accounts.get(fromAccount)?.ownerId === callerId;
}
