/** Prints the OpenAPI document, as input for generating a client. No service is called, so none has to run. */
import { createLogger } from '@payflowx/chassis';
import type { Neighbours } from '../clients/neighbours.ts';
import type { PaymentBatches } from '../clients/payment-batches.ts';
import { loadConfig } from '../config.ts';
import { createServer } from '../server.ts';

const config = loadConfig({ SERVICE_CLIENT_ID: 'none', SERVICE_CLIENT_SECRET: 'none', LOG_LEVEL: 'error' });
const app = await createServer({
  config,
  neighbours: {} as Neighbours,
  batches: {} as PaymentBatches,
  keys: { keyOf: () => Promise.reject(new Error('No token is verified here.')), has: () => false },
  readiness: { findNotServing: async () => [], stop: () => undefined },
  log: createLogger('gateway', config.service, 'stderr'),
});
console.log(JSON.stringify(app.swagger(), null, 2));
await app.close();
