/** A stand-in for the authorization service: a real gRPC server with the one method that payment calls. */
import { bindService, type GrpcServer, serveGrpc, type TokenVerifier } from '@payflowx/chassis';
import { testLog } from '@payflowx/chassis/testing';
import {
  AuthorizationServiceService,
  type AuthorizeItem,
  type AuthorizeResult,
  CaptureMode,
  type Decision,
  MovementKind,
  Outcome,
} from '@payflowx/proto/authorization';

export interface FakeAuthorization {
  target: string;
  /** Everything that was asked, in order. */
  asked: AuthorizeItem[];
  /** Payments whose money was moved or held, each once however often it was asked for. */
  approved(): string[];
  /** What to answer from now on instead of approving; undefined lets the fake approve. */
  answerWith(answer: ((item: AuthorizeItem) => AuthorizeResult | undefined) | undefined): void;
  /** Calls wait for this before they are answered; what they decide is decided at once. */
  holdAnswersUntil(gate: Promise<void>): void;
  stop(): Promise<void>;
}

/** Accounts belong to whoever `ownerOf` says; every payment is approved unless told otherwise. */
export async function startFakeAuthorization(
  verifier: TokenVerifier,
  ownerOf: (account: string) => string,
): Promise<FakeAuthorization> {
  const asked: AuthorizeItem[] = [];
  const decided = new Map<string, AuthorizeResult>();
  let answer: (item: AuthorizeItem) => AuthorizeResult | undefined = () => undefined;
  let gate: Promise<void> = Promise.resolve();

  const decide = (item: AuthorizeItem): AuthorizeResult => {
    asked.push(item);
    const key = `${item.paymentId} ${item.operationId}`;
    const result = decided.get(key) ?? answer(item) ?? approve(item, ownerOf);
    if (result.result?.$case === 'decision') decided.set(key, result);
    return result;
  };

  const service = bindService(AuthorizationServiceService, {
    access: { batchAuthorize: ['service'] },
    errors: { domain: 'authorization', codeOf: () => undefined },
    handlers: {
      async batchAuthorize({ items }) {
        const results = items.map(decide);
        await gate;
        return { results };
      },
    },
  });
  const server: GrpcServer = await serveGrpc(
    { host: '127.0.0.1', port: 0, reflection: false, verifier, log: testLog },
    [service],
  );
  return {
    target: `ipv4:127.0.0.1:${server.port}`,
    asked,
    approved: () =>
      [...decided].filter(([, result]) => isApproval(result)).map(([key]) => key.split(' ')[0] ?? ''),
    answerWith(next) {
      answer = next ?? (() => undefined);
    },
    holdAnswersUntil(next) {
      gate = next;
    },
    stop: () => server.drain(),
  };
}

function isApproval({ result }: AuthorizeResult): boolean {
  return result?.$case === 'decision' && result.value.outcome === Outcome.APPROVED;
}

function approve(item: AuthorizeItem, ownerOf: (account: string) => string): AuthorizeResult {
  const { fromAccount, toAccount, amountMinor, captureMode } = item;
  const kind = captureMode === CaptureMode.MANUAL ? MovementKind.HOLD : MovementKind.TRANSFER;
  return decision({
    outcome: Outcome.APPROVED,
    checks: [{ name: 'balance', passed: true, inputs: { available: '100000' } }],
    movements: [{ kind, fromAccount, toAccount, amountMinor }],
    fromOwnerId: ownerOf(fromAccount),
    toOwnerId: ownerOf(toAccount),
  });
}

/** A decline as authorization words it: it names both owners, but for a payer's account that isn't there. */
export function decline(
  item: AuthorizeItem,
  code: string,
  ownerOf: (account: string) => string,
): AuthorizeResult {
  return decision({
    outcome: Outcome.DECLINED,
    code,
    message: `Declined: ${code}.`,
    fromOwnerId: code === 'FROM_ACCOUNT_NOT_FOUND' ? '' : ownerOf(item.fromAccount),
    toOwnerId: ownerOf(item.toAccount),
  });
}

function decision(given: Partial<Decision>): AuthorizeResult {
  const value: Decision = {
    outcome: Outcome.UNSPECIFIED,
    code: '',
    message: '',
    limit: undefined,
    checks: [],
    movements: [],
    fromOwnerId: '',
    toOwnerId: '',
    decidedAt: new Date(),
    ...given,
  };
  return { result: { $case: 'decision', value } };
}
