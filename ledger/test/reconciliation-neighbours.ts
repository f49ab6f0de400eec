/**
 * Fakes of the four services that a reconciliation reads, hand-written, each on a real gRPC server. Each returns the figures that the
 * test gives it.
 */

import { type BoundService, int64Of } from '@payflowx/chassis';
import { fakeService, startTestServer, type TestIdentity } from '@payflowx/chassis/testing';
import { AnalyticsServiceService } from '@payflowx/proto/analytics';
import { AccountServiceService } from '@payflowx/proto/authorization';
import { type MissingRecords, NotificationServiceService } from '@payflowx/proto/notification';
import { PaymentServiceService } from '@payflowx/proto/payment';

export interface FiguresByNeighbour {
  authorization: { postedMinor: bigint; heldMinor: bigint };
  payment: {
    postedMinor: bigint;
    heldMinor: bigint;
    sentMinor: bigint;
    receivedMinor: bigint;
    notificationCount: bigint;
    pendingCount: bigint;
  };
  analytics: { sentMinor: bigint; receivedMinor: bigint };
  notification: { notificationCount: bigint };
}
export type Neighbour = keyof FiguresByNeighbour;

interface ListRequest {
  pageSize: number;
  pageToken: string;
  accountIds: string[];
}

export interface FakeNeighbours {
  targets: Record<Neighbour, string>;
  /** By account id. A service without an entry does not know the account. */
  figures: { [N in Neighbour]: Map<string, FiguresByNeighbour[N]> };
  /** The records that notification lacks. */
  missing: MissingRecords[];
  /** Called before each response. */
  beforeResponse(hook: ((neighbour: Neighbour, request: ListRequest) => unknown) | undefined): void;
  stop(): Promise<void>;
}

/** Sums as the services send them: the int64 fields are 0 if a sum does not fit. */
function withSums<F extends { sentMinor: bigint; receivedMinor: bigint }>(figures: F) {
  const { sentMinor, receivedMinor } = figures;
  return {
    ...figures,
    sentMinor: int64Of(sentMinor),
    receivedMinor: int64Of(receivedMinor),
    sentSum: sentMinor.toString(),
    receivedSum: receivedMinor.toString(),
  };
}

/** The maximum page size, for any request: so small that every reader has to read several pages. */
const PAGE = 3;

/** An old notification cannot count missing records. */
export async function startNeighbours(
  { verifier }: TestIdentity,
  { isNotificationOld = false } = {},
): Promise<FakeNeighbours> {
  const figures: FakeNeighbours['figures'] = {
    authorization: new Map(),
    payment: new Map(),
    analytics: new Map(),
    notification: new Map(),
  };
  const missing: MissingRecords[] = [];
  let hook: (neighbour: Neighbour, request: ListRequest) => unknown = () => undefined;

  const respond = async <N extends Neighbour>(neighbour: N, request: ListRequest) => {
    await hook(neighbour, request);
    const only = request.accountIds.length > 0 ? new Set(request.accountIds) : undefined;
    const lines = [...figures[neighbour]]
      .filter(([id]) => id > request.pageToken && (only?.has(id) ?? true))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([accountId, figures]) => ({ accountId, currency: 'EUR', ...figures }));
    const page = lines.slice(0, PAGE);
    return { page, nextPageToken: lines.length > PAGE ? (page.at(-1)?.accountId ?? '') : '' };
  };
  const listNotificationFigures = async (request: ListRequest) => {
    const { page, nextPageToken } = await respond('notification', request);
    return { accounts: page, nextPageToken };
  };
  const access = { access: { services: ['ledger'] } } as const;
  const serve = (service: BoundService) => startTestServer(verifier, [service]);
  // Each is a server of its own, because each has another certificate.
  const servers = {
    authorization: await serve(
      fakeService(
        AccountServiceService,
        {
          async listBalances(request) {
            const { page, nextPageToken } = await respond('authorization', request);
            return { balances: page, nextPageToken };
          },
        },
        access,
      ),
    ),
    payment: await serve(
      fakeService(
        PaymentServiceService,
        {
          async listAccountFigures(request) {
            const { page, nextPageToken } = await respond('payment', request);
            return { accounts: page.map(withSums), nextPageToken };
          },
        },
        access,
      ),
    ),
    analytics: await serve(
      fakeService(
        AnalyticsServiceService,
        {
          async listAccountFigures(request) {
            const { page, nextPageToken } = await respond('analytics', request);
            return { accounts: page.map(withSums), nextPageToken };
          },
        },
        access,
      ),
    ),
    notification: await serve(
      isNotificationOld
        ? fakeService(NotificationServiceService, { listAccountFigures: listNotificationFigures }, access)
        : fakeService(
            NotificationServiceService,
            {
              listAccountFigures: listNotificationFigures,
              async countMissingRecords() {
                return { missing, pairCount: BigInt(missing.length), examinedFrom: new Date(0) };
              },
            },
            access,
          ),
    ),
  };
  const targetOf = (neighbour: Neighbour) => servers[neighbour].target;
  return {
    targets: {
      authorization: targetOf('authorization'),
      payment: targetOf('payment'),
      analytics: targetOf('analytics'),
      notification: targetOf('notification'),
    },
    figures,
    missing,
    beforeResponse(next) {
      hook = next ?? (() => undefined);
    },
    async stop() {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
    },
  };
}
