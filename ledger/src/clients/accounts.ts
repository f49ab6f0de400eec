/** The client of authorization's AccountService: decides if a caller may read an account, and reads balances. */
import { status } from '@grpc/grpc-js';
import { type Certificates, connectGrpc, NeighbourError, type OnBehalf } from '@payflowx/chassis';
import { AccountServiceClient } from '@payflowx/proto/authorization';
import { LedgerError } from '../domain/errors.ts';
import type { AuthorizedBalance } from '../domain/proof.ts';

export interface Accounts {
  /** True if the account exists and the caller may read it. */
  isVisible(call: OnBehalf, accountId: string): Promise<boolean>;
  /** Ids of the caller's accounts. */
  listOwn(call: OnBehalf): Promise<string[]>;
  /**
   * Balances of these accounts, at most 1,000, or of all accounts, the external ones too. The pages are not one snapshot: each shows
   * the moment when it was read.
   */
  listBalances(limits: { deadline: Date }, accountIds?: readonly string[]): AsyncIterable<AuthorizedBalance>;
  close(): void;
}

const DEADLINE_MS = 3_000;
const BALANCES_DEADLINE_MS = 10_000;
const MISSING_CODES: readonly status[] = [status.NOT_FOUND, status.INVALID_ARGUMENT];
const IDS_PAGE = 10_000;
const BALANCES_PAGE = 5_000;

/** All calls throw LedgerError AUTHORIZATION_UNAVAILABLE if the authorization service does not answer. */
export function connectAccounts(settings: { target: string; certificates: Certificates }): Accounts {
  const service = connectGrpc(AccountServiceClient, {
    ...settings,
    retryable: ['getAccount', 'listAccountIds', 'listBalances'],
  });
  return {
    async isVisible({ accessToken, deadline }, accountId) {
      try {
        await service.getAccount({ accountId }, { deadlineMs: DEADLINE_MS, accessToken, deadline });
        return true;
      } catch (error) {
        // A text that cannot be an account id counts as a missing account.
        if (error instanceof NeighbourError && MISSING_CODES.includes(error.code)) return false;
        throw translate(error);
      }
    },
    listOwn: ({ accessToken, deadline }) =>
      Array.fromAsync(
        allPages(async (pageToken) => {
          const request = { pageSize: IDS_PAGE, pageToken };
          const limits = { deadlineMs: DEADLINE_MS, accessToken, deadline };
          const { accountIds, nextPageToken } = await service.listAccountIds(request, limits);
          return { items: accountIds, nextPageToken };
        }),
      ),
    listBalances: ({ deadline }, accountIds = []) =>
      allPages(async (pageToken) => {
        const request = { pageSize: BALANCES_PAGE, pageToken, accountIds: [...accountIds] };
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

const OUTAGE_CODES: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
];

/** Other errors than an outage are mistakes of ours. They stay unchanged and count as unexpected. */
function translate(error: unknown): unknown {
  if (!(error instanceof NeighbourError) || !OUTAGE_CODES.includes(error.code)) return error;
  return new LedgerError('AUTHORIZATION_UNAVAILABLE', 'The authorization service does not answer.');
}
