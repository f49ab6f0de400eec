/** Who may call what. Everything else is refused before a handler runs. No API client may call anything here but LoginClient. */
import type { AccessTable } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';

export const access: AccessTable<AuthServiceService> = {
  // The gateway identifies itself, so that it is believed whom it speaks for.
  login: 'anyone-may-identify',
  loginClient: 'anyone',
  refreshTokens: 'anyone',
  logout: 'anyone',
  getMe: ['customer', 'operator', 'auditor'],
  createUser: ['operator'],
  listUsers: ['operator'],
  createApiClient: ['operator'],
  listApiClients: ['operator', 'auditor'],
  revokeApiClient: ['operator'],
  rotateApiClientSecret: ['operator'],
  rotateSigningKey: ['operator'],
  listIdentityAuditRecords: ['operator', 'auditor'],
  getJwks: 'anyone',
};
