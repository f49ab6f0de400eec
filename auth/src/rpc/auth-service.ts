/** Puts AuthService together. Each group of handlers decodes the request, calls the use case and encodes the result. */
import { type BoundService, bindService } from '@payflowx/chassis';
import { AuthServiceService } from '@payflowx/proto/auth';
import { access } from './access.ts';
import { auditHandlers } from './audit-handlers.ts';
import { clientHandlers } from './client-handlers.ts';
import type { AuthServiceDeps } from './deps.ts';
import { emailHandlers } from './email-handlers.ts';
import { errors } from './errors.ts';
import { keyHandlers } from './key-handlers.ts';
import { loginHandlers } from './login-handlers.ts';
import { passwordHandlers } from './password-handlers.ts';
import { secondFactorHandlers } from './second-factor-handlers.ts';
import { sessionHandlers } from './session-handlers.ts';
import { userHandlers } from './user-handlers.ts';

export function authService(deps: AuthServiceDeps): BoundService {
  const handlers = {
    ...loginHandlers(deps),
    ...userHandlers(deps),
    ...passwordHandlers(deps),
    ...sessionHandlers(deps),
    ...secondFactorHandlers(deps),
    ...clientHandlers(deps),
    ...keyHandlers(deps),
    ...auditHandlers(deps),
    ...emailHandlers(deps),
  };
  return bindService(AuthServiceService, { access, errors, handlers });
}
