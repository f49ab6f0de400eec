/** Builds the decision of a step, approved or declined. Pure. */
import type { Account } from './account.ts';
import type { Refusal } from './checks.ts';
import type { Check, Decision, Movement } from './decision.ts';
import type { Decided } from './decision-context.ts';
import type { Hold } from './hold.ts';
import type { Mandate } from './mandate.ts';

/** The accounts of the step, if they are known and the caller may see them. */
interface Parties {
  readonly from?: Account | undefined;
  readonly to?: Account | undefined;
  readonly now: Date;
}

interface Approval extends Parties {
  readonly checks: readonly Check[];
  readonly movements: readonly Movement[];
  readonly changed: readonly Account[];
  readonly hold?: Hold | undefined;
  readonly mandate?: Mandate | undefined;
}

export function approved({ checks, movements, changed, hold, mandate, ...parties }: Approval): Decided {
  const decision: Decision = {
    decline: undefined,
    message: undefined,
    limit: undefined,
    checks,
    movements,
    ...namesOf(parties),
  };
  return { decision, changed, hold, mandate, remaining: hold?.remaining ?? 0n };
}

interface Decline extends Parties {
  readonly checks: readonly Check[];
  readonly refusal: Pick<Refusal, 'decline' | 'message' | 'limit'>;
  /** The unchanged hold. */
  readonly hold?: Hold | undefined;
}

export function declined({ checks, refusal, hold, ...parties }: Decline): Decided {
  const decision: Decision = {
    decline: refusal.decline,
    message: refusal.message,
    limit: refusal.limit,
    checks,
    movements: [],
    ...namesOf(parties),
  };
  return { decision, changed: [], hold: undefined, remaining: hold?.remaining ?? 0n };
}

function namesOf({ from, to, now }: Parties) {
  return { fromOwnerId: from?.ownerId ?? null, toOwnerId: to?.ownerId ?? null, decidedAt: now };
}

const NOTHING: Record<string, string> = Object.freeze({});
export const passed = (name: string): Check => ({ name, passed: true, inputs: NOTHING });
export const failed = (name: string): Check => ({ name, passed: false, inputs: NOTHING });
