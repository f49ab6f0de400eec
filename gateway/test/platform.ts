/** A gateway on a port, with real gRPC servers behind it. Tests set what those servers respond. */
import { status } from '@grpc/grpc-js';
import {
  type BoundService,
  bindService,
  type Call,
  type Certificates,
  createKeyStore,
  createRevocationList,
  errorTable,
  type ServiceMethods,
  serveGrpc,
} from '@payflowx/chassis';
import {
  createTestIdentity,
  PATIENCE_MS,
  recordingLog,
  testCertificates,
  testLog,
  testTlsEnvironment,
} from '@payflowx/chassis/testing';
import { AnalyticsServiceService } from '@payflowx/proto/analytics';
import { AuthServiceService } from '@payflowx/proto/auth';
import {
  AccountServiceService,
  MandateServiceService,
  RuleServiceService,
} from '@payflowx/proto/authorization';
import { DeadLetterServiceService } from '@payflowx/proto/dead-letters';
import { LedgerServiceService, ReconciliationServiceService } from '@payflowx/proto/ledger';
import {
  MailServiceService,
  NotificationServiceService,
  PreferenceServiceService,
} from '@payflowx/proto/notification';
import { PaymentServiceService, SandboxServiceService } from '@payflowx/proto/payment';
import { PipelineServiceService } from '@payflowx/proto/pipeline';
import type { RegisteredInstance } from '@payflowx/registry';
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

export const DEFINITIONS = {
  auth: AuthServiceService,
  authorization: AccountServiceService,
  payment: PaymentServiceService,
  ledger: LedgerServiceService,
  notification: NotificationServiceService,
  analytics: AnalyticsServiceService,
  mandates: MandateServiceService,
  rules: RuleServiceService,
  reconciliations: ReconciliationServiceService,
  preferences: PreferenceServiceService,
  mails: MailServiceService,
  paymentSandbox: SandboxServiceService,
  paymentDeadLetters: DeadLetterServiceService,
  notificationDeadLetters: DeadLetterServiceService,
  authDeadLetters: DeadLetterServiceService,
  paymentPipeline: PipelineServiceService,
  authPipeline: PipelineServiceService,
  ledgerPipeline: PipelineServiceService,
  notificationPipeline: PipelineServiceService,
  analyticsPipeline: PipelineServiceService,
} satisfies Record<keyof Neighbours, ServiceMethods>;

type Name = keyof typeof DEFINITIONS;

/** The gRPC services of each process, besides the one with its name. */
const FURTHER: Partial<Record<keyof Targets, Name[]>> = {
  auth: ['authDeadLetters', 'authPipeline'],
  payment: ['paymentSandbox', 'paymentDeadLetters', 'paymentPipeline'],
  authorization: ['mandates', 'rules'],
  ledger: ['reconciliations', 'ledgerPipeline'],
  notification: ['preferences', 'mails', 'notificationDeadLetters', 'notificationPipeline'],
  analytics: ['analyticsPipeline'],
};
const PROCESSES: (keyof Targets)[] = [
  ...(['auth', 'authorization', 'payment'] as const),
  ...(['ledger', 'notification', 'analytics'] as const),
];

export type Platform = Awaited<ReturnType<typeof startPlatform>>;

export async function startPlatform(
  env: Record<string, string> = {},
  { keysReady = Promise.resolve(), https }: { keysReady?: Promise<void>; https?: Certificates } = {},
) {
  const identity = createTestIdentity();
  const fakes = Object.fromEntries(Object.keys(DEFINITIONS).map((name) => [name, {}])) as Record<Name, Fake>;
  fakes.auth.getJwks = () => ({ keys: identity.jwks });

  const started = await Promise.all(
    PROCESSES.map(async (name) => {
      const names: Name[] = [name, ...(FURTHER[name] ?? [])];
      const services = names.map((each) => fakeService(DEFINITIONS[each], fakes[each]));
      const server = await serveGrpc(
        {
          host: '127.0.0.1',
          port: 0,
          reflection: false,
          pageTokenKey: undefined,
          certificates: testCertificates(name),
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
    ...testTlsEnvironment('gateway'),
    REQUESTS_PER_MINUTE: '1000000',
    LOGINS_PER_MINUTE: '1000000',
    // A busy test machine must not shed load.
    MAX_EVENT_LOOP_DELAY_MS: '0',
    // So that all routes exist.
    SANDBOX: 'on',
    ...targets,
    ...env,
  });
  const neighbours = connectNeighbours(config.targets, testCertificates('gateway'));
  const batches = createPaymentBatches(neighbours.payment, config.batches);
  const readiness = createReadiness(
    () => findNotServing(neighbours, PATIENCE_MS),
    () => performance.now(),
  );
  const keys = createKeyStore(async () => {
    await keysReady;
    return identity.jwks;
  });
  const revocations = createRevocationList();
  const registry: { instances: RegisteredInstance[] | undefined; isAway: boolean } = {
    instances: [],
    isAway: false,
  };
  const readRegistry = async () => {
    if (registry.isAway) throw new Error('The registry of the test does not answer.');
    return registry.instances;
  };
  const parts = { config, neighbours, batches, keys, revocations, readiness, readRegistry, https, log };
  const server = await createServer(parts);
  const url = await server.listen({ host: '127.0.0.1', port: 0 });

  return {
    url,
    server,
    fakes,
    identity,
    neighbours,
    revocations,
    readiness,
    /** The answer of the registry. Undefined: there is none. It answers nothing while it is unavailable. */
    registry,
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
