/** For tests only: real servers from the environment, a migrated database per test file, and valid tokens. */
export { startTestAuth } from './auth.ts';
export { createTestDatabase, type TestDatabase } from './database.ts';
export { PATIENCE_MS } from './deadlines.ts';
export { eventually } from './eventually.ts';
export { createTestIdentity, type TestIdentity } from './identity.ts';
export { catchUp, createTestTopics, type RawTopicMessage, readTestTopic, type TestTopics } from './kafka.ts';
export { recordingLog, testLog } from './log.ts';
export { freePort, type MortalScript, mortalScript } from './processes.ts';
export { testServers } from './servers.ts';
export { fakeService, startTestServer, type TestServer } from './serving.ts';
export { isOutcomeUnknown, untilKnown } from './until-known.ts';
