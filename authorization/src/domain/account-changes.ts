/** Changes that operators make to an account. Pure. Each function returns the same object if nothing changes. */
import { collectViolations } from '@payflowx/chassis/errors';
import { changedMetadata, type MetadataChange, requireMetadata } from '@payflowx/chassis/metadata';
import type { AccountRecord, AccountState, Limits } from './account.ts';
import { AuthorizationError, invalid } from './errors.ts';

/** The new values. Undefined fields keep their value. */
export interface AccountUpdate extends MetadataChange {
  readonly name: string | undefined;
  readonly limits: Limits | undefined;
  readonly timeZone: string | undefined;
  readonly externalId: string | undefined;
}

/** Throws ACCOUNT_CLOSED, VERSION_MISMATCH, and INVALID_ARGUMENT if the metadata gets too many pairs. */
export function updateAccount(
  account: AccountRecord,
  update: AccountUpdate,
  expectedVersion: bigint,
): AccountRecord {
  requireVersion(account, expectedVersion);
  if (account.state === 'CLOSED') {
    throw new AuthorizationError('ACCOUNT_CLOSED', 'The account is closed and cannot be changed.');
  }
  const { name = account.name, limits = account.limits, timeZone = account.timeZone } = update;
  const { externalId = account.externalId } = update;
  const metadata = changedMetadata(account.metadata, update);
  const isSame =
    name === account.name &&
    timeZone === account.timeZone &&
    externalId === account.externalId &&
    metadata === account.metadata &&
    sameLimits(limits, account.limits);
  if (isSame) return account;
  const violations = collectViolations(invalid);
  requireMetadata(violations, metadata);
  violations.throwIfAny();
  return { ...account, name, limits, timeZone, externalId, metadata, version: account.version + 1n };
}

/**
 * `expectedVersion` undefined accepts any version. An account already in the state is returned as it is, whatever its version, so
 * that a retry gets the same response. Throws INVALID_STATE, VERSION_MISMATCH, ACCOUNT_NOT_EMPTY.
 */
export function changeState(
  account: AccountRecord,
  state: AccountState,
  expectedVersion: bigint | undefined,
): AccountRecord {
  if (account.state === state) return account;
  if (account.state === 'CLOSED') {
    throw new AuthorizationError('INVALID_STATE', 'The account is closed permanently.', {
      metadata: { state: account.state },
    });
  }
  if (expectedVersion !== undefined) requireVersion(account, expectedVersion);
  if (state === 'CLOSED' && (account.posted !== 0n || account.held !== 0n)) {
    throw new AuthorizationError(
      'ACCOUNT_NOT_EMPTY',
      'An account with a balance or held money cannot be closed.',
      {
        metadata: { posted_minor: `${account.posted}`, held_minor: `${account.held}` },
      },
    );
  }
  return { ...account, state, version: account.version + 1n };
}

function requireVersion({ version }: AccountRecord, expected: bigint): void {
  if (version === expected) return;
  throw new AuthorizationError('VERSION_MISMATCH', 'The account was changed in the meantime.', {
    metadata: { version: `${version}` },
  });
}

function sameLimits(a: Limits, b: Limits): boolean {
  return (
    a.perPayment === b.perPayment &&
    a.daily === b.daily &&
    a.monthly === b.monthly &&
    a.dailyCount === b.dailyCount
  );
}
