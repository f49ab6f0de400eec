/** The callers that each RPC allows. All others are refused before a handler runs. API clients may call only LoginClient here. */
import type { AccessTable } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';

export const access: AccessTable<AuthServiceService> = {
  // The gateway authenticates itself, so that auth trusts the client address that it sends.
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
