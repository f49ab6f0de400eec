/** The callers that each RPC allows. All others are refused before a handler runs. API clients of users may only read the audit log here. */
import type { AccessTable } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';

/** Actions that give or take rights, and keys. Ending sessions and revoking clients is not among them: it must be quick. */
const ADMIN_WITH_RECENT_LOGIN = { roles: ['admin'], recentLogin: true } as const;
const PEOPLE = ['customer', 'operator', 'auditor', 'admin'] as const;
/** A stolen token must not be enough to lock the person out, or to take the second factor away. */
const PEOPLE_WITH_RECENT_LOGIN = { roles: PEOPLE, recentLogin: true } as const;
/** Also for people whose role needs a second factor before it has any right. */
const SETUP = { roles: PEOPLE, setup: true } as const;
const SETUP_WITH_RECENT_LOGIN = { ...PEOPLE_WITH_RECENT_LOGIN, setup: true } as const;

export const access: AccessTable<AuthServiceService> = {
  login: 'anyone',
  loginClient: 'anyone',
  refreshTokens: 'anyone',
  logout: 'anyone',
  getMe: SETUP,
  // An operator who could create users or machines could act as a customer of its own making.
  createUser: ADMIN_WITH_RECENT_LOGIN,
  listUsers: ['admin', 'operator'],
  getUser: ['admin', 'operator'],
  updateUser: ADMIN_WITH_RECENT_LOGIN,
  changeUserState: ADMIN_WITH_RECENT_LOGIN,
  resetPassword: ADMIN_WITH_RECENT_LOGIN,
  replaceOneTimePassword: 'anyone',
  changePassword: PEOPLE,
  completeLogin: 'anyone',
  createSecondFactor: SETUP_WITH_RECENT_LOGIN,
  confirmSecondFactor: SETUP_WITH_RECENT_LOGIN,
  listSecondFactors: SETUP,
  deleteSecondFactor: SETUP_WITH_RECENT_LOGIN,
  deleteUserSecondFactors: ADMIN_WITH_RECENT_LOGIN,
  listSessions: PEOPLE,
  revokeSession: PEOPLE,
  revokeAllSessions: PEOPLE,
  listUserSessions: ['admin'],
  revokeUserSession: ['admin'],
  revokeAllUserSessions: ['admin'],
  listRevocations: {
    services: ['gateway', 'authorization', 'payment', 'ledger', 'notification', 'analytics'],
  },
  createApiClient: ADMIN_WITH_RECENT_LOGIN,
  listApiClients: ['admin', 'operator', 'auditor'],
  revokeApiClient: ['admin'],
  addApiClientKey: ADMIN_WITH_RECENT_LOGIN,
  listApiClientKeys: ['admin', 'operator', 'auditor'],
  // Quick, like the revocation of a client.
  removeApiClientKey: ['admin'],
  removeApiClientSecret: ['admin'],
  rotateApiClientSecret: ADMIN_WITH_RECENT_LOGIN,
  rotateSigningKey: ADMIN_WITH_RECENT_LOGIN,
  listIdentityAuditRecords: { roles: ['admin', 'operator', 'auditor'], scope: 'audit:read' },
  // The token in the request is the proof.
  confirmEmail: 'anyone',
  resendEmailConfirmation: ['customer', 'operator', 'auditor', 'admin'],
  // For the mail with the link.
  getEmailConfirmation: { services: ['notification'] },
  getJwks: 'anyone',
};
