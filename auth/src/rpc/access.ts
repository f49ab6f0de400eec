/** The callers that each RPC allows. All others are refused before a handler runs. API clients of users may only read the audit log here. */
import type { AccessTable } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';

export const access: AccessTable<AuthServiceService> = {
  // The gateway authenticates itself, so that auth trusts the client address that it sends.
  login: 'anyone-may-identify',
  loginClient: 'anyone',
  refreshTokens: 'anyone',
  logout: 'anyone',
  getMe: ['customer', 'operator', 'auditor', 'admin'],
  // An operator who could create users or machines could act as a customer of its own making.
  createUser: ['admin'],
  listUsers: ['admin', 'operator'],
  createApiClient: ['admin'],
  listApiClients: ['admin', 'operator', 'auditor'],
  revokeApiClient: ['admin'],
  rotateApiClientSecret: ['admin'],
  rotateSigningKey: ['admin'],
  listIdentityAuditRecords: { roles: ['admin', 'operator', 'auditor'], scope: 'audit:read' },
  getJwks: 'anyone',
};
