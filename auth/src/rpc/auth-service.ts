/** AuthService: what it is made of. Each group of handlers decodes, calls the use case, encodes. */
import { type BoundService, bindService, type Logger } from '@payflowx/chassis';
import { AuthServiceService } from '@payflowx/proto/auth';
import type { Kysely } from 'kysely';
import type { IssueAccessToken } from '../app/access-tokens.ts';
import type { PasswordHasher } from '../app/password-hasher.ts';
import type { RotationPolicy } from '../domain/key-rotation.ts';
import type { Database } from '../store/database.ts';
import { access } from './access.ts';
import { auditHandlers } from './audit-handlers.ts';
import { clientHandlers } from './client-handlers.ts';
import { errors } from './errors.ts';
import { keyHandlers } from './key-handlers.ts';
import { loginHandlers } from './login-handlers.ts';
import { userHandlers } from './user-handlers.ts';

export interface AuthServiceDeps {
  db: Kysely<Database>;
  passwords: PasswordHasher;
  issueAccessToken: IssueAccessToken;
  refreshLifetimeMs: number;
  sealingKey: Buffer;
  rotation: RotationPolicy;
  now(): Date;
  log: Logger;
}

export function authService(deps: AuthServiceDeps): BoundService {
  const handlers = {
    ...loginHandlers(deps),
    ...userHandlers(deps),
    ...clientHandlers(deps),
    ...keyHandlers(deps),
    ...auditHandlers(deps),
  };
  return bindService(AuthServiceService, { access, errors, handlers });
}
