/** For tests only: real servers from the environment, a migrated database per test file, and valid tokens. */
export { startTestAuth } from './auth.ts';
export { createTestAuthority, type TestAuthority, type WantedCertificate } from './authority.ts';
export {
  cuttingProxy,
  type VanishingServer,
  vanishingServer,
  whileConnectionsBreak,
} from './broken-connections.ts';
export { type TestService, testCertificates, testCredentials, testTlsEnvironment } from './certificates.ts';
export { createTestDatabase, type TestDatabase } from './database.ts';
export { PATIENCE_MS } from './deadlines.ts';
export { eventually } from './eventually.ts';
export { callWithHostileRequests } from './hostile-requests.ts';
export { idempotentRpcs } from './idempotent-rpcs.ts';
export { createTestIdentity, type TestIdentity } from './identity.ts';
export { catchUp, createTestTopics, type RawTopicMessage, readTestTopic, type TestTopics } from './kafka.ts';
export { sessionOf, untilBlocked } from './locks.ts';
export { recordingLog, testLog } from './log.ts';
export { type AttackedList, attackedList, expectTokensToBeBound } from './page-tokens.ts';
export { freePort, type MortalScript, mortalScript } from './processes.ts';
export { runRebuild } from './rebuild.ts';
export { testServers } from './servers.ts';
export { fakeService, startTestServer, type TestServer, testPageTokenKey } from './serving.ts';
export { isOutcomeUnknown, untilKnown } from './until-known.ts';
