/** Dependencies of the AuthService handlers. */
import type { Keys, Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { AccessTokenSigner } from '../app/access-tokens.ts';
import type { PasswordHasher } from '../app/password-hasher.ts';
import type { RevocationWatch } from '../app/revocation-list.ts';
import type { FactorPolicy } from '../domain/factor-policy.ts';
import type { RotationPolicy } from '../domain/key-rotation.ts';
import type { PasskeyPolicy } from '../domain/passkey.ts';
import type { RefreshPolicy } from '../domain/refresh-token.ts';
import type { Database } from '../store/database.ts';

export interface AuthServiceDeps {
  db: Kysely<Database>;
  passwords: PasswordHasher;
  accessTokenSigner: AccessTokenSigner;
  sessions: RefreshPolicy;
  factorPolicy: FactorPolicy;
  /** Undefined: the platform has no passkeys. */
  passkeys: PasskeyPolicy | undefined;
  assertionAudiences: readonly string[];
  sealingKey: Keys;
  rotation: RotationPolicy;
  revocationWatch: RevocationWatch;
  now(): Date;
  log: Logger;
}
