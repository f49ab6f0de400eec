/** The database of a service, and the outbox and inbox between its transactions and the brokers. */
export * from './database.ts';
export { endAtDeadline, readUntil, withDeadlineError } from './deadline.ts';
export { firstDeliveries, insertInbox } from './inbox.ts';
export { runMigrations } from './migrate-command.ts';
export { type MigrationSettings, migrate, requireMigrated } from './migrations.ts';
export { insertOutbox, type OutboxRow, outboxFrom } from './outbox.ts';
export { type OutboxBacklog, oldestUnpublishedMs, readOutboxBacklog } from './outbox-backlog.ts';
export { redriveOutbox } from './outbox-dead-letters.ts';
export { type OutboxRelay, type OutboxRelaySettings, startOutboxRelay } from './outbox-relay.ts';
export { unnest } from './unnest.ts';
export { openWatchedDatabase, type WatchedDatabase } from './watched-database.ts';
