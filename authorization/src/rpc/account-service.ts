/** AccountService: opens, reads and changes accounts. */
import {
  type BoundService,
  bindService,
  type Logger,
  newId,
  originOf,
  requireCaller,
} from '@payflowx/chassis';
import { AccountServiceService } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { applyState, applyUpdate } from '../app/change-account.ts';
import { createAccount } from '../app/create-accounts.ts';
import { listAccountAuditRecords } from '../app/list-account-audit-records.ts';
import { listBalances } from '../app/list-balances.ts';
import { readAccount, readAccounts, readOwnAccountIds } from '../app/read-accounts.ts';
import type { Database } from '../store/database.ts';
import { ACCOUNT_ACCESS } from './access.ts';
import {
  toAccountFilter,
  toAccountMessage,
  toAccountUpdate,
  toAuditMessage,
  toOpening,
  toStateChange,
} from './account-messages.ts';
import { ERRORS } from './errors.ts';
import { openAccounts } from './open-accounts.ts';

interface AccountServiceDeps {
  db: Kysely<Database>;
  now: () => Date;
  log: Logger;
}

export function accountService({ db, now, log }: AccountServiceDeps): BoundService {
  const deps = { db, now, log, newAccountId: () => newId('acct'), newAuditId: () => newId('aud') };
  return bindService(AccountServiceService, {
    access: ACCOUNT_ACCESS,
    errors: ERRORS,
    // As long as the other services may take to read their figures: a reconciliation waits for all of them.
    longestMs: { listBalances: 150_000 },
    handlers: {
      async createAccount(request, call) {
        const account = await createAccount(deps, originOf(call), toOpening(request));
        return { account: toAccountMessage(account, now()) };
      },

      async batchCreateAccounts({ items }, call) {
        return { results: await openAccounts(deps, call, items) };
      },

      async getAccount({ accountId }, call) {
        const account = await readAccount({ db }, requireCaller(call), accountId);
        return { account: toAccountMessage(account, now()) };
      },

      async listAccounts(request, call) {
        const asked = { ...request, filter: toAccountFilter(request) };
        const { rows, nextPageToken } = await readAccounts({ db }, requireCaller(call), asked);
        return { accounts: rows.map((account) => toAccountMessage(account, now())), nextPageToken };
      },

      async listAccountIds(request, call) {
        const { rows, nextPageToken } = await readOwnAccountIds({ db }, requireCaller(call), request);
        return { accountIds: rows, nextPageToken };
      },

      async updateAccount(request, call) {
        const command = { ...toAccountUpdate(request), origin: originOf(call) };
        return { account: toAccountMessage(await applyUpdate(deps, command), now()) };
      },

      async changeAccountState(request, call) {
        const command = { ...toStateChange(request), origin: originOf(call) };
        return { account: toAccountMessage(await applyState(deps, command), now()) };
      },

      async listAccountAuditRecords(request) {
        const { rows, nextPageToken } = await listAccountAuditRecords({ db }, request);
        return { records: rows.map(toAuditMessage), nextPageToken };
      },

      async listBalances(request) {
        const { rows, nextPageToken } = await listBalances({ db }, request);
        const balances = rows.map(({ accountId, currency, posted, held }) => ({
          accountId,
          currency,
          postedMinor: posted,
          heldMinor: held,
        }));
        return { balances, nextPageToken };
      },
    },
  });
}
