/** Begins a reconciliation that never ends, so that a test can kill it: `reconciling-process.ts <postgres url>`. */
import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import type { ReconciliationDatabase } from '../src/reconciliation/store/database.ts';
import { holdingReconciliationLock } from '../src/reconciliation/store/reports.ts';

const [, , url = ''] = process.argv;
const db = openDatabase<ReconciliationDatabase>({ url, poolMax: 1 }, testLog);
const forEver = new Promise<never>(() => setInterval(() => {}, 60_000));
await holdingReconciliationLock(db, () => {
  process.stdout.write('begun\n');
  return forEver;
});
