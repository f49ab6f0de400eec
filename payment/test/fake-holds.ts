/** An in-memory model of authorization's holds, captures, releases and refunds. */
import { newId } from '@payflowx/chassis';
import {
  type CaptureHoldRequest,
  type Decision,
  type Movement,
  MovementKind,
  Outcome,
  type RefundTransferRequest,
  ReleaseCause,
  type ReleaseHoldRequest,
} from '@payflowx/proto/authorization';

interface Hold {
  fromAccount: string;
  toAccount: string;
  capturedMinor: bigint;
  remainingMinor: bigint;
  expiresAt: Date | undefined;
}

export interface FakeBalance {
  postedMinor: bigint;
  heldMinor: bigint;
}

export interface FakeHolds {
  /** Books the movements of an approved payment, and opens its hold if it has one. */
  book(paymentId: string, movements: readonly Movement[], expiresAt: Date | undefined): void;
  capture(request: CaptureHoldRequest): Decision;
  release(request: ReleaseHoldRequest): Decision;
  /** The end of an open hold. */
  expiresAt(paymentId: string): Date | undefined;
  refund(request: RefundTransferRequest): Decision;
  /** Returns the amount that is still held for a payment. */
  remainingOf(paymentId: string): bigint;
  balanceOf(account: string): FakeBalance;
}

type Given = Pick<Movement, 'fromAccount' | 'toAccount'>;

const APPROVED = {
  outcome: Outcome.APPROVED,
  code: '',
  message: '',
  limit: undefined,
  checks: [{ name: 'hold', passed: true, inputs: {} }],
  fromOwnerId: '',
  toOwnerId: '',
  holdExpiresAt: undefined,
};

/** Payers have unlimited money here. A refund is paid from the receiver's balance. */
export function createFakeHolds(now: () => Date): FakeHolds {
  const approved = (movements: Movement[]): Decision => ({
    ...APPROVED,
    movements,
    decidedAt: now(),
    id: newId('dec'),
  });
  const declined = (code: string): Decision => ({
    ...APPROVED,
    outcome: Outcome.DECLINED,
    code,
    message: `Declined: ${code}.`,
    movements: [],
    decidedAt: now(),
    id: newId('dec'),
  });

  const holds = new Map<string, Hold>();
  const balances = new Map<string, FakeBalance>();
  const balanceOf = (account: string) => {
    const known = balances.get(account) ?? { postedMinor: 0n, heldMinor: 0n };
    balances.set(account, known);
    return known;
  };

  const apply = ({ kind, fromAccount, toAccount, amountMinor }: Movement) => {
    if (kind === MovementKind.HOLD) balanceOf(fromAccount).heldMinor += amountMinor;
    else if (kind === MovementKind.RELEASE) balanceOf(fromAccount).heldMinor -= amountMinor;
    else {
      balanceOf(fromAccount).postedMinor -= amountMinor;
      balanceOf(toAccount).postedMinor += amountMinor;
    }
  };
  const move = (kind: MovementKind, { fromAccount, toAccount }: Given, amountMinor: bigint): Movement => {
    const movement = { kind, fromAccount, toAccount, amountMinor };
    apply(movement);
    return movement;
  };

  return {
    book(paymentId, movements, expiresAt) {
      for (const movement of movements) {
        apply(movement);
        if (movement.kind !== MovementKind.HOLD) continue;
        const { fromAccount, toAccount, amountMinor } = movement;
        const hold = { fromAccount, toAccount, capturedMinor: 0n, remainingMinor: amountMinor, expiresAt };
        holds.set(paymentId, hold);
      }
    },
    capture({ paymentId, amountMinor, final }) {
      const hold = holds.get(paymentId);
      if (!hold || hold.remainingMinor === 0n) return declined('HOLD_NOT_OPEN');
      // A hold ends at its time, even if no expiry was requested.
      if (hold.expiresAt && hold.expiresAt <= now()) return declined('HOLD_NOT_OPEN');
      const wanted = amountMinor === 0n ? hold.remainingMinor : amountMinor;
      if (wanted > hold.remainingMinor) return declined('CAPTURE_EXCEEDS_HOLD');
      const leaving = final ? hold.remainingMinor : wanted;
      hold.capturedMinor += wanted;
      hold.remainingMinor -= leaving;
      return approved([move(MovementKind.TRANSFER, hold, wanted), move(MovementKind.RELEASE, hold, leaving)]);
    },
    release({ paymentId, cause }) {
      const hold = holds.get(paymentId);
      if (!hold || hold.remainingMinor === 0n) return declined('HOLD_NOT_OPEN');
      const isCancel = cause === ReleaseCause.CANCEL;
      if (isCancel && hold.capturedMinor > 0n) return declined('HOLD_PARTLY_CAPTURED');
      if (!isCancel && (!hold.expiresAt || hold.expiresAt > now())) return declined('HOLD_NOT_EXPIRED');
      const leaving = hold.remainingMinor;
      hold.remainingMinor = 0n;
      return approved([move(MovementKind.RELEASE, hold, leaving)]);
    },
    refund({ fromAccount, toAccount, amountMinor }) {
      const { postedMinor, heldMinor } = balanceOf(fromAccount);
      if (postedMinor - heldMinor < amountMinor) return declined('INSUFFICIENT_BALANCE');
      return approved([move(MovementKind.TRANSFER, { fromAccount, toAccount }, amountMinor)]);
    },
    expiresAt: (paymentId) => holds.get(paymentId)?.expiresAt,
    remainingOf: (paymentId) => holds.get(paymentId)?.remainingMinor ?? 0n,
    balanceOf: (account) => ({ ...balanceOf(account) }),
  };
}
