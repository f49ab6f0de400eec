/**
 * Fakes of the four services that a reconciliation reads, hand-written on one real gRPC server. Each returns the figures that the
 * test gives it.
 */
import { int64Of } from '@payflowx/chassis';
import { fakeService, startTestServer, type TestIdentity } from '@payflowx/chassis/testing';
import { AnalyticsServiceService } from '@payflowx/proto/analytics';
import { AccountServiceService } from '@payflowx/proto/authorization';
import { NotificationServiceService } from '@payflowx/proto/notification';
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
  target: string;
  /** By account id. A service without an entry does not know the account. */
  figures: { [N in Neighbour]: Map<string, FiguresByNeighbour[N]> };
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

export async function startNeighbours({ verifier }: TestIdentity): Promise<FakeNeighbours> {
  const figures: FakeNeighbours['figures'] = {
    authorization: new Map(),
    payment: new Map(),
    analytics: new Map(),
    notification: new Map(),
  };
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
  const access = { access: ['service'] } as const;
  const { target, stop } = await startTestServer(verifier, [
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
    fakeService(
      NotificationServiceService,
      {
        async listAccountFigures(request) {
          const { page, nextPageToken } = await respond('notification', request);
          return { accounts: page, nextPageToken };
        },
      },
      access,
    ),
  ]);
  return {
    target,
    figures,
    beforeResponse(next) {
      hook = next ?? (() => undefined);
    },
    stop,
  };
}
