/** AuthorizationService: may this payment happen? */
import {
  type Batcher,
  type BoundService,
  bindService,
  type Logger,
  runInTrace,
  toRpcStatus,
  traceFrom,
} from '@payflowx/chassis';
import {
  AuthorizationServiceService,
  type AuthorizeItem,
  type AuthorizeResult,
  type Decision,
} from '@payflowx/proto/authorization';
import type { AuthorizeCommand } from '../app/authorize-batch.ts';
import { AUTHORIZATION_ACCESS } from './access.ts';
import { toAuthorizeCommand } from './authorize-item.ts';
import { ERRORS } from './errors.ts';
import { collectViolations } from './violations.ts';

const MAX_ITEMS = 500;

interface AuthorizationServiceDeps {
  /** Gathers the items of all calls that run at once. */
  batcher: Batcher<AuthorizeCommand, Decision>;
  log: Logger;
}

export function authorizationService({ batcher, log }: AuthorizationServiceDeps): BoundService {
  const authorize = async (item: AuthorizeItem): Promise<AuthorizeResult> => {
    try {
      const decision = await batcher.submit(toAuthorizeCommand(item));
      return { result: { $case: 'decision', value: decision } };
    } catch (error) {
      // Only an error is logged, and then it belongs to the payment's own request, not to the batch.
      const trace = traceFrom(item.traceparent);
      const value = runInTrace(trace, () => toRpcStatus(error, ERRORS, log));
      return { result: { $case: 'error', value } };
    }
  };

  return bindService(AuthorizationServiceService, {
    access: AUTHORIZATION_ACCESS,
    errors: ERRORS,
    handlers: {
      async batchAuthorize({ items }) {
        const violations = collectViolations();
        violations.require(items.length >= 1 && items.length <= MAX_ITEMS, 'items', 'must be 1 to 500');
        violations.throwIfAny();
        return { results: await Promise.all(items.map(authorize)) };
      },
    },
  });
}
