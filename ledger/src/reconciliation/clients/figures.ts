/** Reads the figures of every other service about accounts, as sorted lines, page by page. */
import { status } from '@grpc/grpc-js';
import { type Certificates, connectGrpc, NeighbourError, sumOf } from '@payflowx/chassis';
import { AnalyticsServiceClient } from '@payflowx/proto/analytics';
import { AccountServiceClient } from '@payflowx/proto/authorization';
import {
  type MissingRecords as MissingRecordsMessage,
  NotificationServiceClient,
  RecordKind,
} from '@payflowx/proto/notification';
import { PaymentServiceClient } from '@payflowx/proto/payment';
import { ReconciliationError } from '../domain/errors.ts';
import type { FigureLine, MissingFigure, MissingRecords, Source } from '../domain/reconciliation.ts';

type Neighbours = Exclude<Source, 'ledger'>;

export interface FiguresClient {
  /** Figures by account id, of all accounts or of these. Reading them throws ReconciliationError NEIGHBOUR_UNAVAILABLE. */
  figuresOf(accountIds?: readonly string[]): Record<Neighbours, AsyncIterable<FigureLine>>;
  /**
   * The records that notification lacks, a part of them listed. Throws ReconciliationError NEIGHBOUR_UNAVAILABLE. None if notification is of
   * an earlier version, which cannot count them.
   */
  missingRecords(): Promise<{ listed: MissingRecords[]; count: number }>;
  close(): void;
}

/** For the first page, payment sums all its payments. Its own limit is two minutes. */
const PAGE_DEADLINE_MS = 150_000;
const PAGE = 1_000;

export function connectFigures(settings: {
  targets: Record<Neighbours, string>;
  /** The ledger's own: these RPCs are for services. */
  certificates: Certificates;
  /** Aborts all reading with the reason of the signal. */
  signal: AbortSignal;
}): FiguresClient {
  const { targets, certificates, signal } = settings;
  const retryable = ['listAccountFigures'] as const;
  const authorization = connectGrpc(AccountServiceClient, {
    target: targets.authorization,
    certificates,
    retryable: ['listBalances'],
  });
  const payment = connectGrpc(PaymentServiceClient, { target: targets.payment, certificates, retryable });
  const analytics = connectGrpc(AnalyticsServiceClient, {
    target: targets.analytics,
    certificates,
    retryable,
  });
  const notification = connectGrpc(NotificationServiceClient, {
    target: targets.notification,
    certificates,
    retryable: [...retryable, 'countMissingRecords'],
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
    async missingRecords() {
      const counting = notification.countMissingRecords({}, limits);
      const none = { missing: [], pairCount: 0n };
      const { missing, pairCount } = await unlessAborted(counting, signal).catch((error: unknown) => {
        if (error instanceof NeighbourError && error.code === status.UNIMPLEMENTED) return none;
        throw translate('notification', error);
      });
      return { listed: missing.flatMap(toMissingRecords), count: Number(pairCount) };
    },
    close() {
      for (const neighbour of [authorization, payment, analytics, notification]) neighbour.close();
    },
  };
}

const MISSING: Record<RecordKind, MissingFigure | undefined> = {
  [RecordKind.UNSPECIFIED]: undefined,
  [RecordKind.EVENT]: 'missing_events',
  [RecordKind.DELIVERY]: 'missing_deliveries',
  [RecordKind.MAIL]: 'missing_mails',
};

/** Nothing for a kind that only a later version knows. It is counted. */
function toMissingRecords({ kind, accountId, count }: MissingRecordsMessage): MissingRecords[] {
  const figure = MISSING[kind];
  return figure ? [{ accountId, figure, count }] : [];
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
