/** Builds the gRPC services without the process around them, for main.ts, for tests, and for the tests of payment. */
import type { BoundService, Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { createRulesInForce } from './app/rules-in-force.ts';
import { simulationQuota } from './app/simulation-quota.ts';
import { createStepFlow } from './app/step-flow.ts';
import { accountService } from './rpc/account-service.ts';
import { authorizationService } from './rpc/authorization-service.ts';
import { mandateService } from './rpc/mandate-service.ts';
import { ruleService } from './rpc/rule-service.ts';
import { testClockService } from './rpc/test-clock-service.ts';
import type { Database } from './store/database.ts';

export type { Database };
/** For the test databases of other services. */
export const MIGRATIONS = new URL('../migrations/', import.meta.url);

interface ServicesDeps {
  db: Kysely<Database>;
  /** A separate connection pool for long reads. */
  backtestDb: Kysely<Database>;
  log: Logger;
  now: () => Date;
  holdTtlMs: number;
  /** True: magic references decline payments, and there is a test clock. */
  sandbox?: boolean | undefined;
  /** How many payments a caller may simulate in a minute. */
  simulationsPerMinute: number;
  /**
   * `maxSize` steps per statement: enough to make the commit cheap, few enough to keep locks short. `concurrency` batches run at
   * once.
   */
  batches?: { maxSize: number; concurrency: number };
}

export interface Services {
  services: BoundService[];
  /** Resolves when all accepted steps are decided. */
  drain(): Promise<void>;
}

export function authorizationServices(deps: ServicesDeps): Services {
  const rules = createRulesInForce(deps.log);
  const simulations = simulationQuota({ perMinute: deps.simulationsPerMinute, now: deps.now });
  const steps = createStepFlow({ ...deps, rules }, deps.batches);
  return {
    services: [
      authorizationService({ ...deps, steps, rules, simulations }),
      accountService(deps),
      mandateService(deps),
      ruleService(deps),
      ...(deps.sandbox ? [testClockService(deps)] : []),
    ],
    drain: () => steps.drain(),
  };
}
