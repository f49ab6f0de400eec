/** The database of a service, and the outbox and inbox between its transactions and the brokers. */
export { type CollectedDeadLetters, collectedDeadLetters } from './collected-dead-letters.ts';
export * from './database.ts';
export { endAtDeadline, readUntil, withDeadlineError } from './deadline.ts';
export { firstDeliveries, insertInbox } from './inbox.ts';
export { runMigrations } from './migrate-command.ts';
export { type MigrationSettings, migrate, requireMigrated } from './migrations.ts';
export { insertOutbox, type OutboxRow, outboxFrom } from './outbox.ts';
export {
  type OutboxBacklog,
  oldestUnpublishedMs,
  publishStages,
  readOutboxBacklog,
  waitForRelays,
} from './outbox-backlog.ts';
export { redriveOutbox, refusedEvents } from './outbox-dead-letters.ts';
export * from './outbox-metrics.ts';
export { type OutboxRelay, type OutboxRelaySettings, startOutboxRelay } from './outbox-relay.ts';
export { type OutboxWatch, watchOutbox } from './outbox-watch.ts';
export { redriveAudit } from './redrive-audit.ts';
export { type ResealResult, reportResealing, resealTable, type SealedTable } from './reseal.ts';
export { requireStopped } from './stopped-service.ts';
export { unnest } from './unnest.ts';
export { openWatchedDatabase, type WatchedDatabase } from './watched-database.ts';
