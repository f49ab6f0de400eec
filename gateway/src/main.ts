/** Starts the gateway. Parts are created in order of dependency, and stopped in reverse order. */
import {
  connectIdentity,
  createKeyStore,
  fileCertificates,
  measureCertificate,
  openCertificates,
  runService,
} from '@payflowx/chassis';
import { joinRegistry, openRegistryReader, resolveThroughConsul } from '@payflowx/registry';
import { closeNeighbours, connectNeighbours, findNotServing } from './clients/neighbours.ts';
import { createPaymentBatches } from './clients/payment-batches.ts';
import { loadConfig } from './config.ts';
import { createReadiness } from './http/readiness.ts';
import { createServer } from './server.ts';

const config = loadConfig(process.env);
/** A probe waits at most this long for the other services. */
const PROBE_DEADLINE_MS = 900;

await runService('gateway', config.service, async ({ log, onStop }) => {
  resolveThroughConsul({ consul: config.consul, log });

  const certificates = await openCertificates('gateway', config.tls, log);
  onStop('certificates', () => certificates.stop());

  const identity = connectIdentity({ target: config.targets.auth, certificates }, log);
  onStop('identity', () => identity.close());

  const neighbours = connectNeighbours(config.targets, certificates);
  onStop('neighbours', () => closeNeighbours(neighbours));

  const batches = createPaymentBatches(neighbours.payment, config.batches);
  onStop('payment batches', () => batches.drain());

  const checkServices = async () => {
    const notServing = await findNotServing(neighbours, PROBE_DEADLINE_MS);
    if (notServing.length > 0) log.warn({ notServing }, 'not ready: other services do not serve');
    return notServing;
  };
  const readiness = createReadiness(checkServices, () => performance.now());
  const registry = openRegistryReader(config.consul);
  onStop('registry reader', () => registry.close());
  const keys = createKeyStore(identity.jwks);
  const { revocations } = identity;
  const https =
    config.http.https && measureCertificate('https', await fileCertificates(config.http.https, log));
  onStop('certificate for clients', () => https?.stop());
  const server = await createServer({
    ...{ config, neighbours, batches, keys, revocations, readiness, https, log },
    readRegistry: registry.read,
  });
  onStop('http server', () => server.close());

  const { host, port, listenFd } = config.http;
  const address = await server.listen({ host, port, ...(listenFd !== undefined && { fd: listenFd }) });
  onStop('readiness', () => readiness.stop());

  // Parts stop in reverse order: callers stop finding this instance before it stops answering them.
  const membership = await joinRegistry(
    { consul: config.consul, log },
    {
      name: 'gateway',
      id: config.service.instanceId,
      host: config.http.advertisedHost,
      port: Number(new URL(address).port),
      check: https ? { https: '/healthz' } : { http: '/healthz' },
    },
  );
  onStop('registry', () => membership.leave());
});
