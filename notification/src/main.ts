/** Starts the notification service. Parts are built from the inside out and stopped in reverse order. */
import {
  armFaults,
  connectIdentity,
  openCertificates,
  pipelineService,
  runService,
  serveGrpc,
} from '@payflowx/chassis';
import { openDatabase, openWatchedDatabase, requireMigrated } from '@payflowx/chassis/postgres';
import { consumeQueue } from '@payflowx/chassis/rabbit';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { startDeliverer } from './app/deliver-webhooks.ts';
import { measureBacklogs } from './app/measure-backlogs.ts';
import { startPurge } from './app/purge-events.ts';
import { type IdentityFact, recordIdentityFacts } from './app/record-identity-facts.ts';
import { recordSteps } from './app/record-steps.ts';
import { startResealing } from './app/reseal-secrets.ts';
import { watchEvents } from './app/watch-events.ts';
import { loadConfig } from './config.ts';
import { decodeIdentityFact } from './consumers/identity-notifications.ts';
import { decodeStep } from './consumers/payment-notifications.ts';
import { deadLetters } from './dead-letters.ts';
import type { PaymentStep } from './domain/notice.ts';
import { startJobQueue } from './jobs/job-queue.ts';
import { startMailSending } from './mail-sending.ts';
import { mailService } from './rpc/mail-service.ts';
import { notificationService } from './rpc/notification-service.ts';
import { preferenceService } from './rpc/preference-service.ts';
import type { Database } from './store/database.ts';
import { createAddressPolicy } from './webhooks/address-policy.ts';
import { createWebhookSender } from './webhooks/send-request.ts';

const config = loadConfig(process.env);
/**
 * Connections for reconciliation, which runs once at a time and requests one page at a time. The second connection is for a run
 * that starts while a cancelled one still ends.
 */
const FIGURES_POOL = 2;

await runService('notification', config, async ({ log, onStop }) => {
  armFaults(config.faultsDir);
  resolveThroughConsul({ consul: config.consul, log });

  const database = openWatchedDatabase<Database>(config.postgres, log);
  const { db } = database;
  onStop('database', () => database.close());
  await requireMigrated(db, config.migrations);
  const figuresDb = openDatabase<Database>(
    { url: config.postgres.url, poolName: 'figures', poolMax: FIGURES_POOL },
    log,
  );
  onStop('database for figures', () => figuresDb.destroy());
  measureBacklogs(db);

  const jobs = await startJobQueue(config.postgres, log);
  onStop('job queue', () => jobs.stop());

  const certificates = await openCertificates('notification', config.tls, log);
  onStop('certificates', () => certificates.stop());

  const identity = connectIdentity({ target: config.authTarget, certificates }, log);
  onStop('auth client', () => identity.close());

  const mails = startMailSending(config, { db, queue: jobs, certificates, log });
  onStop('mails', () => mails.stop());
  const { addMailJobs } = mails;

  const { webhooks } = config;
  const addresses = createAddressPolicy(webhooks.addresses);
  const sender = createWebhookSender(addresses);
  onStop('webhook sender', () => sender.close());
  const { sealingKey, sandbox } = webhooks;
  const deliverer = startDeliverer({ db, jobs, sender, sealingKey, addMailJobs, sandbox, log });
  onStop('webhook deliverer', () => deliverer.stop());
  const resealing = startResealing({ db, sealingKey: webhooks.sealingKey, log });
  onStop('resealing of secrets', () => resealing.stop());
  const retentionMs = config.eventRetentionMs;
  const purge = startPurge({ db, log, now: () => new Date(), retentionMs });
  onStop('purge', () => purge.stop());
  const watch = watchEvents(db, log);
  onStop('watch of events', () => watch.stop());

  const { wake } = deliverer;
  const apply = (steps: PaymentStep[]) => recordSteps({ db, wake, addMailJobs, retentionMs }, steps);
  const consumer = await consumeQueue(config.queue, { decode: decodeStep, apply }, log);
  onStop('consumer', () => consumer.stop());
  const applyFacts = (facts: IdentityFact[]) => recordIdentityFacts({ db, addMailJobs }, facts);
  const handlers = { decode: decodeIdentityFact, apply: applyFacts };
  const identityConsumer = await consumeQueue(config.identityQueue, handlers, log);
  onStop('identity consumer', () => identityConsumer.stop());

  const letters = deadLetters(config, { db, log });
  const pipeline = pipelineService({
    service: 'notification',
    stages: [
      { activity: 'consume', source: config.queue.queue, read: consumer.lagAndAge },
      { activity: 'consume', source: config.identityQueue.queue, read: identityConsumer.lagAndAge },
    ],
    deadLetters: letters.sources,
  });
  const health = { answering: [database.problem], working: [consumer.problem, identityConsumer.problem] };
  const server = await serveGrpc({ ...config.grpc, certificates, verifier: identity.verifier, log, health }, [
    notificationService({
      ...{ db, figuresDb, wake, addresses, sealingKey: webhooks.sealingKey, ...watch },
      retention: { eventRetentionMs: retentionMs, mailRetentionMs: config.mailRetentionMs },
    }),
    preferenceService({ db }),
    letters.service,
    pipeline,
    mailService({ db, fromAddress: config.mail?.server.from.address ?? '', log }),
  ]);
  onStop('grpc server', () => server.drain());

  // Stops run in reverse order. The instance leaves the registry first, so that no new callers find it while it drains.
  const membership = await joinRegistry(
    { consul: config.consul, log },
    { name: 'notification', id: config.instanceId, host: config.grpc.host, port: server.port },
  );
  onStop('registry', () => membership.leave());
});
