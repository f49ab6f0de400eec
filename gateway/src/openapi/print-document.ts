/** Prints the OpenAPI document, as input for generating a client. No service is called, so none has to run. */
import { createLogger, NOTHING_REVOKED } from '@payflowx/chassis';
import type { Neighbours } from '../clients/neighbours.ts';
import type { PaymentBatches } from '../clients/payment-batches.ts';
import { loadConfig } from '../config.ts';
import { createServer } from '../server.ts';

// The document of a sandbox has all routes.
const config = loadConfig({ LOG_LEVEL: 'error', SANDBOX: 'on' });
const app = await createServer({
  config,
  neighbours: {} as Neighbours,
  batches: {} as PaymentBatches,
  keys: { keyOf: () => Promise.reject(new Error('No token is verified here.')), has: () => false },
  revocations: NOTHING_REVOKED,
  readiness: { findNotServing: async () => [], stop: () => undefined },
  readRegistry: async () => undefined,
  log: createLogger('gateway', config.service, 'stderr'),
});
console.log(JSON.stringify(app.swagger(), null, 2));
await app.close();
