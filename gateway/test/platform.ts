/** A gateway on a port, with real gRPC servers behind it. Tests set what those servers respond. */
import { status } from '@grpc/grpc-js';
import {
  type BoundService,
  bindService,
  type Call,
  createKeyStore,
  errorTable,
  type ServiceMethods,
  serveGrpc,
} from '@payflowx/chassis';
import { createTestIdentity, PATIENCE_MS, recordingLog, testLog } from '@payflowx/chassis/testing';
import { AnalyticsServiceService } from '@payflowx/proto/analytics';
import { AuthServiceService } from '@payflowx/proto/auth';
import { AccountServiceService, RuleServiceService } from '@payflowx/proto/authorization';
import { LedgerServiceService, ReconciliationServiceService } from '@payflowx/proto/ledger';
import { NotificationServiceService } from '@payflowx/proto/notification';
import { PaymentServiceService } from '@payflowx/proto/payment';
import {
  closeNeighbours,
  connectNeighbours,
  findNotServing,
  type Neighbours,
  type Targets,
} from '../src/clients/neighbours.ts';
import { createPaymentBatches } from '../src/clients/payment-batches.ts';
import { loadConfig } from '../src/config.ts';
import { createReadiness } from '../src/http/readiness.ts';
import { createServer } from '../src/server.ts';

/** An error of another service, as the test chooses it. */
export class Refusal extends Error {
  readonly reason: string;
  readonly code: status;
  readonly metadata: Record<string, string>;
  readonly violations: { field: string; description: string }[];
  readonly retryAfterMs?: number;
  constructor(
    reason: string,
    code: status,
    details: Partial<Pick<Refusal, 'metadata' | 'violations' | 'retryAfterMs'>> = {},
  ) {
    super('An error of the fake service.');
    this.reason = reason;
    this.code = code;
    this.metadata = details.metadata ?? {};
    this.violations = details.violations ?? [];
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
  }
}

export const refusals = {
  ...errorTable('fake', Refusal as never, {}),
  codeOf: (error: unknown) => (error instanceof Refusal ? error.code : undefined),
};

// biome-ignore lint/suspicious/noExplicitAny: a fake returns any value of its test; the wire checks the rest.
type Handler = (request: any, call: Call) => Promise<any> | any;
export type Fake = Record<string, Handler>;

const DEFINITIONS = {
  auth: AuthServiceService,
  authorization: AccountServiceService,
  payment: PaymentServiceService,
  ledger: LedgerServiceService,
  notification: NotificationServiceService,
  analytics: AnalyticsServiceService,
  rules: RuleServiceService,
  reconciliations: ReconciliationServiceService,
} satisfies Record<keyof Neighbours, ServiceMethods>;

type Name = keyof typeof DEFINITIONS;

/** The gRPC services of each process, besides the one with its name. */
const FURTHER: Partial<Record<keyof Targets, Name>> = { authorization: 'rules', ledger: 'reconciliations' };
const PROCESSES: (keyof Targets)[] = [
  ...(['auth', 'authorization', 'payment'] as const),
  ...(['ledger', 'notification', 'analytics'] as const),
];

export type Platform = Awaited<ReturnType<typeof startPlatform>>;

export async function startPlatform(env: Record<string, string> = {}, keysReady = Promise.resolve()) {
  const identity = createTestIdentity();
  const fakes = Object.fromEntries(Object.keys(DEFINITIONS).map((name) => [name, {}])) as Record<Name, Fake>;
  fakes.auth.getJwks = () => ({ keys: identity.jwks });

  const started = await Promise.all(
    PROCESSES.map(async (name) => {
      const names: Name[] = [name, ...(FURTHER[name] ? [FURTHER[name]] : [])];
      const services = names.map((each) => fakeService(DEFINITIONS[each], fakes[each]));
      const server = await serveGrpc(
        {
          host: '127.0.0.1',
          port: 0,
          reflection: false,
          pageTokenKey: undefined,
          verifier: identity.verifier,
          log: testLog,
        },
        services,
      );
      return { name, server };
    }),
  );
  const targets = Object.fromEntries(
    started.map(({ name, server }) => [`${name.toUpperCase()}_TARGET`, `ipv4:127.0.0.1:${server.port}`]),
  );

  const { log, lines } = recordingLog();
  const config = loadConfig({
    SERVICE_CLIENT_ID: 'gateway',
    SERVICE_CLIENT_SECRET: 'secret',
    REQUESTS_PER_MINUTE: '1000000',
    LOGINS_PER_MINUTE: '1000000',
    // A busy test machine must not shed load.
    MAX_EVENT_LOOP_DELAY_MS: '0',
    ...targets,
    ...env,
  });
  const neighbours = connectNeighbours(config.targets, () =>
    identity.tokenFor({ id: 'svc_gateway', roles: ['service'] }),
  );
  const batches = createPaymentBatches(neighbours.payment, config.batches);
  const readiness = createReadiness(
    () => findNotServing(neighbours, PATIENCE_MS),
    () => performance.now(),
  );
  const keys = createKeyStore(async () => {
    await keysReady;
    return identity.jwks;
  });
  const server = await createServer({ config, neighbours, batches, keys, readiness, log });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });

  return {
    url,
    server,
    fakes,
    identity,
    readiness,
    /** The fields of all log lines of the gateway so far. */
    logged: lines,
    portOf: (name: keyof Targets) => started.find((service) => service.name === name)?.server.port ?? 0,
    /** Sets the health of one service to NOT_SERVING. */
    stop: (name: keyof Targets) => started.find((service) => service.name === name)?.server.drain(),
    async close() {
      await server.close();
      closeNeighbours(neighbours);
      await Promise.all(started.map((service) => service.server.drain()));
    },
  };
}

function fakeService(definition: ServiceMethods, fake: Fake): BoundService {
  const methods = Object.keys(definition);
  const handlers = methods.map((method) => {
    const handler = async (request: unknown, call: Call) => {
      const answer = fake[method];
      if (!answer) throw new Refusal('UNIMPLEMENTED', status.UNIMPLEMENTED);
      return answer(request, call);
    };
    return [method, handler] as const;
  });
  return bindService(definition, {
    access: Object.fromEntries(methods.map((method) => [method, 'anyone'])) as never,
    errors: refusals,
    handlers: Object.fromEntries(handlers) as never,
  });
}
