/** Who may call what. Everything else is refused before a handler runs. */
import type { AccessTable } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';

export const access: AccessTable<AuthServiceService> = {
  login: 'anyone',
  loginClient: 'anyone',
  refreshTokens: 'anyone',
  logout: 'anyone',
  getMe: ['customer', 'operator', 'auditor'],
  createUser: ['operator'],
  listUsers: ['operator'],
  getJwks: 'anyone',
};
