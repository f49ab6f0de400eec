/** The authorization service's accounts: who may look at one, and what balances it keeps. */
import { status } from '@grpc/grpc-js';
import { connectGrpc, NeighbourError } from '@payflowx/chassis';
import { AccountServiceClient } from '@payflowx/proto/authorization';
import { LedgerError } from '../domain/errors.ts';
import type { AuthorizedBalance } from '../domain/proof.ts';

/** In whose name accounts are asked for, and until when the answer is of use. */
export interface Asker {
  accessToken: string | undefined;
  deadline: Date;
}

export interface Accounts {
  /** Whether the account exists and the asker may look at it. */
  isVisible(asker: Asker, accountId: string): Promise<boolean>;
  /** Ids of the asker's accounts. */
  listOwn(asker: Asker): Promise<string[]>;
  /** Every account's balances, the external ones too. Not one moment's view: each page is as of when it was read. */
  listBalances(limits: { deadline: Date }): AsyncIterable<AuthorizedBalance>;
  close(): void;
}

const DEADLINE_MS = 3_000;
const BALANCES_DEADLINE_MS = 10_000;
const NOT_THERE: readonly status[] = [status.NOT_FOUND, status.INVALID_ARGUMENT];
const ACCOUNTS_PAGE = 100;
const BALANCES_PAGE = 5_000;

/** All calls throw LedgerError AUTHORIZATION_UNAVAILABLE where the authorization service does not answer. */
export function connectAccounts(settings: { target: string; token: () => Promise<string> }): Accounts {
  const service = connectGrpc(AccountServiceClient, {
    ...settings,
    retryable: ['getAccount', 'listAccounts', 'listBalances'],
  });
  return {
    async isVisible({ accessToken, deadline }, accountId) {
      try {
        await service.getAccount({ accountId }, { deadlineMs: DEADLINE_MS, accessToken, deadline });
        return true;
      } catch (error) {
        // What cannot be an account's id names no account either.
        if (error instanceof NeighbourError && NOT_THERE.includes(error.code)) return false;
        throw translate(error);
      }
    },
    listOwn: ({ accessToken, deadline }) =>
      Array.fromAsync(
        allPages(async (pageToken) => {
          const request = { pageSize: ACCOUNTS_PAGE, pageToken };
          const page = await service.listAccounts(request, {
            deadlineMs: DEADLINE_MS,
            accessToken,
            deadline,
          });
          return { items: page.accounts.map(({ id }) => id), nextPageToken: page.nextPageToken };
        }),
      ),
    listBalances: ({ deadline }) =>
      allPages(async (pageToken) => {
        const request = { pageSize: BALANCES_PAGE, pageToken, accountIds: [] };
        const page = await service.listBalances(request, { deadlineMs: BALANCES_DEADLINE_MS, deadline });
        return { items: page.balances, nextPageToken: page.nextPageToken };
      }),
    close: () => service.close(),
  };
}

async function* allPages<T>(
  read: (pageToken: string) => Promise<{ items: T[]; nextPageToken: string }>,
): AsyncGenerator<T> {
  let pageToken = '';
  do {
    const page = await read(pageToken).catch((error) => {
      throw translate(error);
    });
    yield* page.items;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

const AWAY: readonly status[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED];

/** What is no outage is a mistake of ours, and goes on as what it is: unexpected. */
function translate(error: unknown): unknown {
  if (!(error instanceof NeighbourError) || !AWAY.includes(error.code)) return error;
  return new LedgerError('AUTHORIZATION_UNAVAILABLE', 'The authorization service does not answer.');
}
