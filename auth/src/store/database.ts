/** The tables of auth as Kysely sees them. */
import type { Role, UserRole } from '../domain/user.ts';

export interface Database {
  users: UserTable;
  create_user_requests: CreateUserRequestTable;
  api_clients: ApiClientTable;
  signing_keys: SigningKeyTable;
  refresh_families: RefreshFamilyTable;
  refresh_tokens: RefreshTokenTable;
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
  sealed_private_key: Buffer;
  created_at: Date;
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
}

interface RefreshTokenTable {
  token_hash: Buffer;
  family_id: string;
  issued_at: Date;
  spent_at: Date | null;
}
