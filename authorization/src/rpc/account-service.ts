/** AccountService: opens, reads and changes accounts. */
import {
  type BoundService,
  bindService,
  cutPage,
  decodePageToken,
  type Logger,
  newId,
  pageSizeOf,
  requireCaller,
} from '@payflowx/chassis';
import { AccountServiceService } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import { applyState, applyUpdate } from '../app/change-account.ts';
import { createAccount } from '../app/create-accounts.ts';
import { readAccount, readAccounts } from '../app/read-accounts.ts';
import { isId } from '../domain/ids.ts';
import { listAuditRecords } from '../store/account-audit.ts';
import { listAccountIds } from '../store/accounts.ts';
import { listBalances } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { ACCOUNT_ACCESS } from './access.ts';
import {
  toAccountMessage,
  toAccountUpdate,
  toAuditMessage,
  toOpening,
  toStateChange,
} from './account-messages.ts';
import { actorOf } from './actor.ts';
import { ERRORS } from './errors.ts';
import { openAccounts } from './open-accounts.ts';
import { collectViolations } from './violations.ts';

/** The content of a page token: the id of the last row of the page. */
const Position = Type.Object({ id: Type.String() });
const positionOf = ({ id }: Static<typeof Position>) => ({ id });

/** The page size of ListAccountIds: nearly every customer's accounts in one page. */
const MAX_IDS = 10_000;

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
        const account = await createAccount(deps, actorOf(call), toOpening(request));
        return { account: toAccountMessage(account, now()) };
      },

      async batchCreateAccounts({ items }, call) {
        return { results: await openAccounts(deps, actorOf(call), items) };
      },

      async getAccount({ accountId }, call) {
        const account = await readAccount({ db }, requireCaller(call), accountId);
        return { account: toAccountMessage(account, now()) };
      },

      async listAccounts({ pageSize, pageToken }, call) {
        const before = decodePageToken(pageToken, Position)?.id;
        const limit = pageSizeOf(pageSize);
        const found = await readAccounts({ db }, requireCaller(call), { before, limit: limit + 1 });
        const { rows, nextPageToken } = cutPage(found, limit, positionOf);
        return { accounts: rows.map((account) => toAccountMessage(account, now())), nextPageToken };
      },

      async listAccountIds({ pageSize, pageToken }, call) {
        const before = decodePageToken(pageToken, Position)?.id;
        const limit = pageSizeOf(pageSize, { standard: MAX_IDS, max: MAX_IDS });
        const page = { ownerId: requireCaller(call).id, before, limit: limit + 1 };
        const found = await listAccountIds(db, page);
        const { rows, nextPageToken } = cutPage(found, limit, (id) => positionOf({ id }));
        return { accountIds: rows, nextPageToken };
      },

      async updateAccount(request, call) {
        const command = { ...toAccountUpdate(request), actor: actorOf(call) };
        return { account: toAccountMessage(await applyUpdate(deps, command), now()) };
      },

      async changeAccountState(request, call) {
        const command = { ...toStateChange(request), actor: actorOf(call) };
        return { account: toAccountMessage(await applyState(deps, command), now()) };
      },

      async listAccountAuditRecords({ pageSize, pageToken, accountId, actorId }) {
        const before = decodePageToken(pageToken, Position)?.id;
        const limit = pageSizeOf(pageSize);
        const found = await listAuditRecords(db, {
          accountId: filterOf('account_id', accountId),
          actorId: filterOf('actor_id', actorId),
          before,
          limit: limit + 1,
        });
        const { rows, nextPageToken } = cutPage(found, limit, positionOf);
        return { records: rows.map(toAuditMessage), nextPageToken };
      },

      async listBalances({ pageSize, pageToken, accountIds }) {
        const after = decodePageToken(pageToken, Position)?.id ?? '';
        const limit = pageSizeOf(pageSize, { standard: 1000, max: 5000 });
        const found = await listBalances(db, { after, only: accountIds, limit: limit + 1 });
        const { rows, nextPageToken } = cutPage(found, limit, ({ accountId }) =>
          positionOf({ id: accountId }),
        );
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

/** Empty: no filter. Throws INVALID_ARGUMENT for an invalid id. */
function filterOf(field: string, id: string): string | undefined {
  if (id === '') return undefined;
  const violations = collectViolations();
  violations.require(isId(id), field, 'must be 1 to 64 visible ASCII characters');
  violations.throwIfAny();
  return id;
}
