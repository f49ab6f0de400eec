/**
 * A process that replays a topic into a ledger, and can be killed at a fault point:
 * `replaying-process.ts <topic> <database> <faults folder>`.
 */
import { armFaults } from '@payflowx/chassis';
import { replayTopic } from '@payflowx/chassis/kafka';
import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog, testServers } from '@payflowx/chassis/testing';
import { paymentEvents } from '../src/consumers/payment-events.ts';
import type { Database } from '../src/store/database.ts';

const [topic = '', url = '', faultsDir] = process.argv.slice(2);
armFaults(faultsDir);
const db = openDatabase<Database>({ url, poolMax: 2 }, testLog);
const settings = { ...testServers.kafka(), clientId: 'test-crash', topic, maxBatch: 10 };
await replayTopic(settings, paymentEvents({ db }), testLog);
await db.destroy();
