/** Wires the reconciliation: its clients, its own connections, its schedule, its RPCs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type BoundService, CallError, type Certificates, type Logger } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import type { FindingSettings } from './app/find-differences.ts';
import { measureReports } from './app/measure-reports.ts';
import type { ReconciliationDeps } from './app/run-reconciliation.ts';
import { startReconciliationSchedule } from './app/schedule.ts';
import { connectFigures } from './clients/figures.ts';
import type { Source } from './domain/reconciliation.ts';
import { reconciliationService } from './rpc/reconciliation-service.ts';
import { storedBalances } from './store/balances.ts';
import type { ReconciliationDatabase } from './store/database.ts';

export interface ReconciliationConfig {
  postgresUrl: string;
  targets: Record<Exclude<Source, 'ledger'>, string>;
  /** 0 turns the schedule off. */
  everyMs: number;
  settings: FindingSettings;
}

export interface ReconciliationPart {
  service: BoundService;
  /** Ends the current run, without a report. */
  abort(): void;
  /** Closes all connections. Reports cannot be read afterwards. */
  stop(): Promise<void>;
}

/** One for the lock, one for reading balances, one for requests that read reports meanwhile. */
const POOL = 3;

export function startReconciliation(
  { postgresUrl, targets, everyMs, settings }: ReconciliationConfig,
  certificates: Certificates,
  log: Logger,
): ReconciliationPart {
  const stopping = new AbortController();
  const db = openDatabase<ReconciliationDatabase>(
    { url: postgresUrl, poolName: 'reconciliation', poolMax: POOL },
    log,
  );
  measureReports(db);
  const figures = connectFigures({ targets, certificates, signal: stopping.signal });
  const deps: ReconciliationDeps = {
    db,
    settings,
    log,
    now: () => new Date(),
    figuresOf: (accountIds) => ({
      ...figures.figuresOf(accountIds),
      ledger: storedBalances(db, accountIds),
    }),
    missingRecords: () => figures.missingRecords(),
    pause: (ms) => pause(ms, stopping.signal),
  };
  const abort = () => stopping.abort(new CallError('STOPPING', 'The service is stopping.'));
  const schedule = startReconciliationSchedule(deps, everyMs);
  return {
    service: reconciliationService(deps),
    abort,
    async stop() {
      abort();
      await schedule.stop();
      figures.close();
      await db.destroy();
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
  signal.throwIfAborted();
}
