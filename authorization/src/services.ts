/** The service without its surroundings: what main.ts serves, and tests too. */
import { type BoundService, createBatcher, type Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { decideBatch } from './app/decide-batch.ts';
import type { Command } from './app/round.ts';
import { createRulesInForce } from './app/rules-in-force.ts';
import { accountService } from './rpc/account-service.ts';
import { authorizationService } from './rpc/authorization-service.ts';
import { ruleService } from './rpc/rule-service.ts';
import type { Database } from './store/database.ts';
import type { Answer } from './store/decisions.ts';

interface ServicesDeps {
  db: Kysely<Database>;
  /** Connections of their own for what reads long. */
  backtestDb: Kysely<Database>;
  log: Logger;
  now: () => Date;
  holdTtlMs: number;
  /** Steps in one statement: enough to make the commit cheap, few enough to keep the locks short; and batches at once. */
  batches?: { maxSize: number; concurrency: number };
}

export interface Services {
  services: BoundService[];
  /** Ends once everything that was taken is decided. */
  drain(): Promise<void>;
}

export function authorizationServices(deps: ServicesDeps): Services {
  const rules = createRulesInForce(deps.log);
  const batcher = createBatcher<Command, Answer>({
    ...deps.batches,
    flush: (commands) => decideBatch({ ...deps, rules }, commands),
  });
  return {
    services: [authorizationService({ ...deps, batcher, rules }), accountService(deps), ruleService(deps)],
    drain: () => batcher.drain(),
  };
}
