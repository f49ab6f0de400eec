/** The four neighbours that a reconciliation asks, as hand-written fakes on one real gRPC server: each believes what the test says. */
import { fakeService, startTestServer, type TestIdentity } from '@payflowx/chassis/testing';
import { AnalyticsServiceService } from '@payflowx/proto/analytics';
import { AccountServiceService } from '@payflowx/proto/authorization';
import { NotificationServiceService } from '@payflowx/proto/notification';
import { PaymentServiceService } from '@payflowx/proto/payment';

export interface Beliefs {
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
export type Neighbour = keyof Beliefs;

interface Asked {
  pageSize: number;
  pageToken: string;
  accountIds: string[];
}

export interface FakeNeighbours {
  target: string;
  /** By account id; whoever has no entry does not know the account. */
  believe: { [N in Neighbour]: Map<string, Beliefs[N]> };
  /** Called before each answer. */
  beforeAnswer(hook: ((neighbour: Neighbour, asked: Asked) => unknown) | undefined): void;
  stop(): Promise<void>;
}

/** However large a page is asked for: so few lines that every reader has to ask again. */
const PAGE = 3;

export async function startNeighbours({ verifier }: TestIdentity): Promise<FakeNeighbours> {
  const believe: FakeNeighbours['believe'] = {
    authorization: new Map(),
    payment: new Map(),
    analytics: new Map(),
    notification: new Map(),
  };
  let hook: (neighbour: Neighbour, asked: Asked) => unknown = () => undefined;

  const answer = async <N extends Neighbour>(neighbour: N, asked: Asked) => {
    await hook(neighbour, asked);
    const only = asked.accountIds.length > 0 ? new Set(asked.accountIds) : undefined;
    const lines = [...believe[neighbour]]
      .filter(([id]) => id > asked.pageToken && (only?.has(id) ?? true))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([accountId, figures]) => ({ accountId, currency: 'EUR', ...figures }));
    const page = lines.slice(0, PAGE);
    return { page, nextPageToken: lines.length > PAGE ? (page.at(-1)?.accountId ?? '') : '' };
  };
  const figures =
    <N extends Neighbour>(neighbour: N) =>
    async (asked: Asked) => {
      const { page, nextPageToken } = await answer(neighbour, asked);
      return { accounts: page, nextPageToken };
    };

  const access = { access: ['service'] } as const;
  const { target, stop } = await startTestServer(verifier, [
    fakeService(
      AccountServiceService,
      {
        async listBalances(asked) {
          const { page, nextPageToken } = await answer('authorization', asked);
          return { balances: page, nextPageToken };
        },
      },
      access,
    ),
    fakeService(PaymentServiceService, { listAccountFigures: figures('payment') }, access),
    fakeService(AnalyticsServiceService, { listAccountFigures: figures('analytics') }, access),
    fakeService(NotificationServiceService, { listAccountFigures: figures('notification') }, access),
  ]);
  return {
    target,
    believe,
    beforeAnswer(next) {
      hook = next ?? (() => undefined);
    },
    stop,
  };
}
