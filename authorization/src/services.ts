/** The service without its surroundings: what main.ts serves, and tests too. */
import type { BoundService, Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { createRulesInForce } from './app/rules-in-force.ts';
import { createStepFlow } from './app/step-flow.ts';
import { accountService } from './rpc/account-service.ts';
import { authorizationService } from './rpc/authorization-service.ts';
import { ruleService } from './rpc/rule-service.ts';
import type { Database } from './store/database.ts';

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
  const steps = createStepFlow({ ...deps, rules }, deps.batches);
  return {
    services: [authorizationService({ ...deps, steps, rules }), accountService(deps), ruleService(deps)],
    drain: () => steps.drain(),
  };
}
