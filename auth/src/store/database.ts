/** The types of auth's tables for Kysely. */
import type { Scope } from '@payflowx/chassis';
import type { ColumnType } from 'kysely';
import type { AuditAction } from '../domain/audit.ts';
import type { Role, UserRole } from '../domain/user.ts';

export interface Database {
  users: UserTable;
  create_user_requests: CreateUserRequestTable;
  api_clients: ApiClientTable;
  signing_keys: SigningKeyTable;
  refresh_families: RefreshFamilyTable;
  login_throttles: LoginThrottleTable;
  known_login_pairs: KnownLoginPairTable;
  user_api_clients: UserApiClientTable;
  identity_audit_records: AuditRecordTable;
}

interface UserTable {
  id: string;
  username: string;
  password_hash: string;
  roles: UserRole[];
  created_at: Date;
}

interface CreateUserRequestTable {
  caller_id: string;
  request_id: string;
  user_id: string;
  username: string;
  roles: UserRole[];
  created_at: Date;
}

interface ApiClientTable {
  id: string;
  secret_hash: Buffer;
  roles: Role[];
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
  revoked_for: 'logout' | 'reuse' | 'password-reset' | null;
  /** Null in a family of an earlier release, whose tokens are no longer valid. */
  secret_hash: Buffer | null;
  token_hash: Buffer | null;
  predecessor_hash: Buffer | null;
  rotated_at: Date | null;
  rotation_hash: Buffer | null;
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
  /** Null after the client is revoked. */
  secret_hash: Buffer | null;
  created_by: string;
  request_id: string | null;
  created_at: Date;
  revoked_at: Date | null;
}

interface AuditRecordTable {
  id: string;
  actor_id: string;
  action: AuditAction;
  subject_id: string;
  details: ColumnType<Record<string, unknown>, string>;
  trace_id: string;
  client_id: string | null;
  call_id: string | null;
  created_at: Date;
}
