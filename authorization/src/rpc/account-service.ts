/** AccountService: the accounts that money moves between. */
import {
  type BoundService,
  bindService,
  decodePageToken,
  encodePageToken,
  newId,
  pageSizeOf,
  requireCaller,
} from '@payflowx/chassis';
import { AccountServiceService } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { createAccount } from '../app/create-account.ts';
import { readAccount, readAccounts } from '../app/read-accounts.ts';
import { listBalances } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { ACCOUNT_ACCESS } from './access.ts';
import { toAccountMessage, toCreateAccountCommand } from './account-messages.ts';
import { ERRORS } from './errors.ts';

/** Where a page ended: the id of its last row. */
const Position = Type.Object({ id: Type.String({ pattern: '^[\\x21-\\x7e]{1,64}$' }) });

interface AccountServiceDeps {
  db: Kysely<Database>;
  now: () => Date;
}

export function accountService({ db, now }: AccountServiceDeps): BoundService {
  const createDeps = { db, now, newAccountId: () => newId('acct') };
  return bindService(AccountServiceService, {
    access: ACCOUNT_ACCESS,
    errors: ERRORS,
    handlers: {
      async createAccount(request, call) {
        const command = toCreateAccountCommand(request, requireCaller(call).id);
        return { account: toAccountMessage(await createAccount(createDeps, command), now()) };
      },

      async getAccount({ accountId }, call) {
        const account = await readAccount({ db }, requireCaller(call), accountId);
        return { account: toAccountMessage(account, now()) };
      },

      async listAccounts({ pageSize, pageToken }, call) {
        const before = decodePageToken(pageToken, Position)?.id;
        const limit = pageSizeOf(pageSize);
        // One more than asked for shows whether there is another page.
        const found = await readAccounts({ db }, requireCaller(call), { before, limit: limit + 1 });
        const page = found.slice(0, limit);
        const accounts = page.map((account) => toAccountMessage(account, now()));
        return { accounts, nextPageToken: tokenAfter(page.at(-1)?.id, found.length > limit) };
      },

      async listBalances({ pageSize, pageToken }) {
        const after = decodePageToken(pageToken, Position)?.id ?? '';
        const limit = pageSizeOf(pageSize, { standard: 1000, max: 5000 });
        const found = await listBalances(db, { after, limit: limit + 1 });
        const page = found.slice(0, limit);
        const balances = page.map(({ accountId, currency, posted, held }) => ({
          accountId,
          currency,
          postedMinor: posted,
          heldMinor: held,
        }));
        return { balances, nextPageToken: tokenAfter(page.at(-1)?.accountId, found.length > limit) };
      },
    },
  });
}

function tokenAfter(lastId: string | undefined, hasMore: boolean): string {
  return hasMore && lastId !== undefined ? encodePageToken({ id: lastId }) : '';
}
