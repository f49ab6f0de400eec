/** The types of auth's tables for Kysely. */
import type { Scope } from '@payflowx/chassis';
import type { Metadata } from '@payflowx/chassis/metadata';
import type { IdentityAction } from '@payflowx/proto/vocabulary';
import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { ClientJwk } from '../domain/client-key.ts';
import type { FactorKind } from '../domain/second-factor.ts';
import type { UserRole, UserState } from '../domain/user.ts';

export interface Database {
  users: UserTable;
  create_user_requests: CreateUserRequestTable;
  signing_keys: SigningKeyTable;
  refresh_families: RefreshFamilyTable;
  login_throttles: LoginThrottleTable;
  known_login_pairs: KnownLoginPairTable;
  user_api_clients: UserApiClientTable;
  client_keys: ClientKeyTable;
  client_assertions: ClientAssertionTable;
  identity_audit_records: AuditRecordTable;
  revocations: RevocationTable;
  second_factors: SecondFactorTable;
  passkeys: PasskeyTable;
  passkey_registrations: PasskeyRegistrationTable;
  recovery_codes: RecoveryCodeTable;
  login_challenges: LoginChallengeTable;
  email_confirmations: EmailConfirmationTable;
}

export interface UserTable {
  id: string;
  username: string;
  password_hash: string;
  roles: UserRole[];
  email: string | null;
  email_verified: Generated<boolean>;
  language: string | null;
  state: Generated<UserState>;
  version: Generated<bigint>;
  created_at: Date;
  last_login_at: Date | null;
  tokens_valid_from: Date | null;
  one_time_until: Date | null;
  has_second_factor: Generated<boolean>;
  has_password: boolean;
  external_id: string;
  metadata: ColumnType<Metadata, string, string>;
}

interface SecondFactorTable {
  id: string;
  user_id: string;
  kind: FactorKind;
  name: string;
  /** Empty for a passkey. */
  sealed_secret: Buffer;
  last_step: Generated<bigint>;
  created_at: Date;
  confirmed_at: Date | null;
}

interface PasskeyTable {
  factor_id: string;
  credential_id: Buffer;
  public_key: Buffer;
  sign_count: bigint;
  transports: string[];
  backup_eligible: boolean;
  backed_up: boolean;
  last_used_at: Date | null;
}

interface PasskeyRegistrationTable {
  factor_id: string;
  challenge_hash: Buffer;
  expires_at: Date;
}

interface RecoveryCodeTable {
  code_hash: Buffer;
  user_id: string;
}

interface LoginChallengeTable {
  challenge_hash: Buffer;
  user_id: string;
  password_hash: string;
  expires_at: Date;
}

interface RevocationTable {
  position: GeneratedAlways<bigint>;
  id: string;
  not_before: Date | null;
  expires_at: Date;
}

interface CreateUserRequestTable {
  caller_id: string;
  request_id: string;
  user_id: string;
  username: string;
  roles: UserRole[];
  external_id: string;
  metadata: ColumnType<Metadata, string, string>;
  has_password: boolean;
  created_at: Date;
}

interface SigningKeyTable {
  kid: string;
  state: 'next' | 'active' | 'retired';
  public_key: Buffer;
  /** Null after the key is retired. */
  sealed_private_key: Buffer | null;
  created_at: Date;
  activates_at: Date | null;
  activated_at: Date | null;
  retired_at: Date | null;
}

interface RefreshFamilyTable {
  id: string;
  user_id: string;
  created_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  revoked_for: 'logout' | 'reuse' | 'password-reset' | 'password-change' | 'revoked' | 'disabled' | null;
  /** Null in a family of an earlier release, whose tokens are no longer valid. */
  secret_hash: Buffer | null;
  token_hash: Buffer | null;
  predecessor_hash: Buffer | null;
  rotated_at: Date | null;
  rotation_hash: Buffer | null;
  second_factor: Generated<boolean>;
}

interface LoginThrottleTable {
  key: Buffer;
  failures: number;
  blocked_until: Date | null;
  forgotten_at: Date;
}

interface KnownLoginPairTable {
  key: Buffer;
  user_id: string;
  last_login_at: Date;
}

interface UserApiClientTable {
  id: string;
  name: string;
  user_id: string;
  scopes: Scope[];
  /** Null after the client is revoked, and for a client that logs in with a key only. */
  secret_hash: Buffer | null;
  created_by: string;
  request_id: string | null;
  created_at: Date;
  revoked_at: Date | null;
}

interface ClientKeyTable {
  client_id: string;
  kid: string;
  jwk: ColumnType<ClientJwk, string>;
  created_at: Date;
}

interface ClientAssertionTable {
  client_id: string;
  jti_hash: Buffer;
  expires_at: Date;
}

interface EmailConfirmationTable {
  id: string;
  user_id: string;
  email: string;
  token_hash: Buffer;
  requested_at: Date;
  expires_at: Date;
}

interface AuditRecordTable {
  id: string;
  actor_id: string;
  action: IdentityAction;
  subject_id: string;
  details: ColumnType<Record<string, unknown>, string>;
  trace_id: string;
  client_id: string | null;
  call_id: string | null;
  created_at: Date;
}
