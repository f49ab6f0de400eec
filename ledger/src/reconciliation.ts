/** Puts the reconciliation together: its neighbours, its own connections, its schedule, its RPCs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type BoundService, CallError, type Logger } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import type { FindingSettings } from './app/reconciliation-findings.ts';
import type { ReconciliationDeps } from './app/reconciliation-run.ts';
import { startReconciliationSchedule } from './app/reconciliation-schedule.ts';
import { connectFigures } from './clients/reconciliation-figures.ts';
import type { Source } from './domain/reconciliation.ts';
import { reconciliationService } from './rpc/reconciliation-service.ts';
import { keptBalances } from './store/reconciliation-balances.ts';
import type { ReconciliationDatabase } from './store/reconciliation-tables.ts';

export interface ReconciliationConfig {
  postgresUrl: string;
  targets: Record<Exclude<Source, 'ledger'>, string>;
  /** 0: only when it is asked for. */
  everyMs: number;
  settings: FindingSettings;
}

export interface ReconciliationPart {
  service: BoundService;
  /** Ends a run under way, without a report. */
  breakOff(): void;
  /** Lets go of everything; reports cannot be read any more. */
  stop(): Promise<void>;
}

/** One for the lock, one to read with, one for whoever reads reports meanwhile. */
const POOL = 3;

export function startReconciliation(
  { postgresUrl, targets, everyMs, settings }: ReconciliationConfig,
  token: () => Promise<string>,
  log: Logger,
): ReconciliationPart {
  const stopping = new AbortController();
  const db = openDatabase<ReconciliationDatabase>({ url: postgresUrl, poolMax: POOL }, log);
  const figures = connectFigures({ targets, token, signal: stopping.signal });
  const deps: ReconciliationDeps = {
    db,
    settings,
    log,
    now: () => new Date(),
    figuresOf: (accountIds) => ({
      ...figures.figuresOf(accountIds),
      ledger: keptBalances(db, accountIds),
    }),
    pause: (ms) => pause(ms, stopping.signal),
  };
  const breakOff = () => stopping.abort(new CallError('STOPPING', 'The service is stopping.'));
  const schedule = startReconciliationSchedule(deps, everyMs);
  return {
    service: reconciliationService(deps),
    breakOff,
    async stop() {
      breakOff();
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
