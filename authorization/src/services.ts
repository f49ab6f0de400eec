/** The service without its surroundings: what main.ts serves, and tests too. */
import { type BoundService, createBatcher, type Logger } from '@payflowx/chassis';
import type { Decision } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { type AuthorizeCommand, authorizeBatch } from './app/authorize-batch.ts';
import { accountService } from './rpc/account-service.ts';
import { authorizationService } from './rpc/authorization-service.ts';
import type { Database } from './store/database.ts';

interface ServicesDeps {
  db: Kysely<Database>;
  log: Logger;
  now: () => Date;
  holdTtlMs: number;
}

export interface Services {
  services: BoundService[];
  /** Ends once everything that was taken is decided. */
  drain(): Promise<void>;
}

/** The most payments in one transaction: enough to make the commit cheap, few enough to keep the locks short. */
const MAX_BATCH = 200;

export function authorizationServices(deps: ServicesDeps): Services {
  const batcher = createBatcher<AuthorizeCommand, Decision>({
    maxSize: MAX_BATCH,
    flush: (commands) => authorizeBatch(deps, commands),
  });
  return {
    services: [authorizationService({ batcher, log: deps.log }), accountService(deps)],
    drain: () => batcher.drain(),
  };
}
