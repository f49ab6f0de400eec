/** A mandate: a payer lets one payee collect from one account, within limits and until a time. Pure: the time is a parameter. */
import type { Origin } from '@payflowx/chassis';
import type { Usage } from './usage.ts';

export type MandateState = 'ACTIVE' | 'REVOKED' | 'EXPIRED';

/** Minor units of the accounts' currency. Null means no limit. */
export interface MandateLimits {
  readonly perPayment: bigint | null;
  readonly daily: bigint | null;
  readonly monthly: bigint | null;
}

/** The parts of a mandate that decisions need. */
export interface Mandate {
  readonly id: string;
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly limits: MandateLimits;
  /** From this moment on it is expired. */
  readonly validUntil: Date;
  /** Undefined: not revoked. */
  readonly revokedAt: Date | undefined;
  /** The use, in windows of the payer's time zone. Its count of payments is not kept. */
  readonly usage: Usage;
}

/** A mandate with the fields that decisions do not need. */
export interface MandateRecord extends Mandate {
  readonly fromOwnerId: string;
  readonly toOwnerId: string;
  readonly currency: string;
  readonly reference: string;
  readonly createdAt: Date;
  readonly createdBy: Origin;
  readonly revokedBy: Origin | undefined;
}

/** A mandate, and the time zone of the payer's account, whose days and months its limits count. */
export interface FoundMandate {
  readonly mandate: MandateRecord;
  readonly timeZone: string;
}

/** The terms that a payer chooses. */
export type MandateTerms = Pick<
  MandateRecord,
  'fromAccount' | 'toAccount' | 'limits' | 'validUntil' | 'reference'
>;

/** A mandate that was revoked before its end stays revoked. */
export function stateAt({ revokedAt, validUntil }: Mandate, now: Date): MandateState {
  if (revokedAt !== undefined) return 'REVOKED';
  return now < validUntil ? 'ACTIVE' : 'EXPIRED';
}

/** True if both requests want the same mandate, so that one is a retry of the other. */
export function sameTerms(one: MandateTerms, other: MandateTerms): boolean {
  return (
    one.fromAccount === other.fromAccount &&
    one.toAccount === other.toAccount &&
    one.limits.perPayment === other.limits.perPayment &&
    one.limits.daily === other.limits.daily &&
    one.limits.monthly === other.limits.monthly &&
    one.validUntil.getTime() === other.validUntil.getTime() &&
    one.reference === other.reference
  );
}
