/** The service without its surroundings: what main.ts serves, and tests too. */
import { type BoundService, createBatcher, type Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { decideBatch } from './app/decide-batch.ts';
import type { Command } from './app/round.ts';
import { accountService } from './rpc/account-service.ts';
import { authorizationService } from './rpc/authorization-service.ts';
import type { Database } from './store/database.ts';
import type { Answer } from './store/decisions.ts';

interface ServicesDeps {
  db: Kysely<Database>;
  log: Logger;
  now: () => Date;
  holdTtlMs: number;
  /** Steps in one transaction: enough to make the commit cheap, few enough to keep the locks short; and transactions at once. */
  batches?: { maxSize: number; concurrency: number };
}

export interface Services {
  services: BoundService[];
  /** Ends once everything that was taken is decided. */
  drain(): Promise<void>;
}

export function authorizationServices(deps: ServicesDeps): Services {
  const batcher = createBatcher<Command, Answer>({
    ...deps.batches,
    flush: (commands) => decideBatch(deps, commands),
  });
  return {
    services: [authorizationService({ ...deps, batcher }), accountService(deps)],
    drain: () => batcher.drain(),
  };
}
