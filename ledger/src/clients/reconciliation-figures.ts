/** Reads the figures of every other service about accounts, as sorted lines, page by page. */
import { status } from '@grpc/grpc-js';
import { connectGrpc, NeighbourError, sumOf } from '@payflowx/chassis';
import { AnalyticsServiceClient } from '@payflowx/proto/analytics';
import { AccountServiceClient } from '@payflowx/proto/authorization';
import { NotificationServiceClient } from '@payflowx/proto/notification';
import { PaymentServiceClient } from '@payflowx/proto/payment';
import type { FigureLine, Source } from '../domain/reconciliation.ts';
import { ReconciliationError } from '../domain/reconciliation-errors.ts';

type Neighbours = Exclude<Source, 'ledger'>;

export interface FiguresClient {
  /** Figures by account id, of all accounts or of these. Reading them throws ReconciliationError NEIGHBOUR_UNAVAILABLE. */
  figuresOf(accountIds?: readonly string[]): Record<Neighbours, AsyncIterable<FigureLine>>;
  close(): void;
}

/** For the first page, payment sums all its payments. Its own limit is two minutes. */
const PAGE_DEADLINE_MS = 150_000;
const PAGE = 1_000;

export function connectFigures(settings: {
  targets: Record<Neighbours, string>;
  /** The ledger's own service token: these RPCs are for services. */
  token: () => Promise<string>;
  /** Aborts all reading with the reason of the signal. */
  signal: AbortSignal;
}): FiguresClient {
  const { targets, token, signal } = settings;
  const retryable = ['listAccountFigures'] as const;
  const authorization = connectGrpc(AccountServiceClient, {
    target: targets.authorization,
    token,
    retryable: ['listBalances'],
  });
  const payment = connectGrpc(PaymentServiceClient, { target: targets.payment, token, retryable });
  const analytics = connectGrpc(AnalyticsServiceClient, { target: targets.analytics, token, retryable });
  const notification = connectGrpc(NotificationServiceClient, {
    target: targets.notification,
    token,
    retryable,
  });
  const limits = { deadlineMs: PAGE_DEADLINE_MS };
  return {
    figuresOf: (accountIds = []) => {
      const linesOf = (source: Neighbours, read: (pageToken: string) => Promise<Page>) =>
        pagesOf(source, read, signal);
      const ask = (pageToken: string) => ({ pageSize: PAGE, pageToken, accountIds: [...accountIds] });
      return {
        authorization: linesOf('authorization', async (pageToken) => {
          const page = await authorization.listBalances(ask(pageToken), limits);
          const lines = page.balances.map(({ accountId, currency, postedMinor, heldMinor }) => ({
            accountId,
            currency,
            figures: { posted: postedMinor, held: heldMinor },
          }));
          return { lines, nextPageToken: page.nextPageToken };
        }),
        payment: linesOf('payment', async (pageToken) => {
          const page = await payment.listAccountFigures(ask(pageToken), limits);
          const lines = page.accounts.map((account) => ({
            accountId: account.accountId,
            currency: account.currency,
            figures: {
              posted: account.postedMinor,
              held: account.heldMinor,
              sent: sumOf(account.sentSum, account.sentMinor),
              received: sumOf(account.receivedSum, account.receivedMinor),
              notifications: account.notificationCount,
            },
            isPending: account.pendingCount > 0n,
          }));
          return { lines, nextPageToken: page.nextPageToken };
        }),
        analytics: linesOf('analytics', async (pageToken) => {
          const page = await analytics.listAccountFigures(ask(pageToken), limits);
          const lines = page.accounts.map(({ accountId, currency, ...account }) => ({
            accountId,
            currency,
            figures: {
              sent: sumOf(account.sentSum, account.sentMinor),
              received: sumOf(account.receivedSum, account.receivedMinor),
            },
          }));
          return { lines, nextPageToken: page.nextPageToken };
        }),
        notification: linesOf('notification', async (pageToken) => {
          const page = await notification.listAccountFigures(ask(pageToken), limits);
          const lines = page.accounts.map(({ accountId, notificationCount }) => ({
            accountId,
            currency: '',
            figures: { notifications: notificationCount },
          }));
          return { lines, nextPageToken: page.nextPageToken };
        }),
      };
    },
    close() {
      for (const neighbour of [authorization, payment, analytics, notification]) neighbour.close();
    },
  };
}

interface Page {
  lines: FigureLine[];
  nextPageToken: string;
}

async function* pagesOf(
  source: Neighbours,
  read: (pageToken: string) => Promise<Page>,
  signal: AbortSignal,
): AsyncGenerator<FigureLine> {
  let pageToken = '';
  do {
    const page = await unlessAborted(read(pageToken), signal).catch((error: unknown) => {
      throw translate(source, error);
    });
    yield* page.lines;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

/** A page may take minutes, but a service has only seconds for its shutdown. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

const OUTAGE_CODES: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
];

/** Other errors than an outage are mistakes of ours. They stay unchanged and count as unexpected. */
function translate(source: Neighbours, error: unknown): unknown {
  if (!(error instanceof NeighbourError)) return error;
  // The page token is no longer valid: its pages were lost when the service crashed.
  if (!OUTAGE_CODES.includes(error.code) && error.reason !== 'INVALID_PAGE_TOKEN') return error;
  return new ReconciliationError('NEIGHBOUR_UNAVAILABLE', `The ${source} service does not answer.`);
}
