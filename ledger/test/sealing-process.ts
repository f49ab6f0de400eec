/**
 * A process that seals a ledger until nothing waits, and can be killed at a fault point:
 * `sealing-process.ts <database> <faults folder>`.
 */
import { armFaults } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { sealBatch } from '../src/app/seal-journal.ts';
import type { Database } from '../src/store/database.ts';

const [url = '', faultsDir] = process.argv.slice(2);
armFaults(faultsDir);
const db = openDatabase<Database>({ url, poolMax: 1 }, testLog);
while (await sealBatch({ db, now: () => new Date() }, 10));
await db.destroy();
