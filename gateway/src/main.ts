/** Starts the gateway. Parts are created in order of dependency, and stopped in reverse order. */
import { connectIdentity, createKeyStore, runService } from '@payflowx/chassis';
import { joinRegistry, resolveThroughConsul } from '@payflowx/registry';
import { closeNeighbours, connectNeighbours, findNotServing } from './clients/neighbours.ts';
import { createPaymentBatches } from './clients/payment-batches.ts';
import { loadConfig } from './config.ts';
import { createReadiness } from './http/readiness.ts';
import { createServer } from './server.ts';

const config = loadConfig(process.env);
/** A probe waits at most this long for the other services. */
const PROBE_DEADLINE_MS = 900;

await runService('gateway', config.service, async ({ log, onStop }) => {
  resolveThroughConsul({ consulUrl: config.consulUrl, log });

  const identity = connectIdentity(config.identity, log);
  onStop('identity', () => identity.close());

  const neighbours = connectNeighbours(config.targets, identity.serviceToken);
  onStop('neighbours', () => closeNeighbours(neighbours));

  const batches = createPaymentBatches(neighbours.payment, config.batches);
  onStop('payment batches', () => batches.drain());

  const checkServices = async () => {
    const notServing = await findNotServing(neighbours, PROBE_DEADLINE_MS);
    if (notServing.length > 0) log.warn({ notServing }, 'not ready: other services do not serve');
    return notServing;
  };
  const readiness = createReadiness(checkServices, () => performance.now());
  const keys = createKeyStore(identity.jwks);
  const server = await createServer({ config, neighbours, batches, keys, readiness, log });
  onStop('http server', () => server.close());

  const { host, port, listenFd } = config.http;
  const address = await server.listen({ host, port, ...(listenFd !== undefined && { fd: listenFd }) });
  onStop('readiness', () => readiness.stop());

  // Parts stop in reverse order: callers stop finding this instance before it stops answering them.
  const membership = await joinRegistry(
    { consulUrl: config.consulUrl, log },
    {
      name: 'gateway',
      id: config.service.instanceId,
      host: config.http.advertisedHost,
      port: Number(new URL(address).port),
      check: { http: '/healthz' },
    },
  );
  onStop('registry', () => membership.leave());
});
