/** For tests only: real servers from the environment, a migrated database per test file, tokens that verify. */
export { createTestDatabase, type TestDatabase } from './database.ts';
export { eventually } from './eventually.ts';
export { createTestIdentity, type TestIdentity } from './identity.ts';
export { createTestTopics, type RawTopicMessage, readTestTopic, type TestTopics } from './kafka.ts';
export { testLog } from './log.ts';
export { testServers } from './servers.ts';
