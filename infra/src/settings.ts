/** All settings of a person, read from the environment in this one place. */
import { readFileSync } from 'node:fs';
import { Failure } from './failure.ts';

/** Ports of the first instances. All can be moved together by PAYFLOWX_PORT_OFFSET, or one by PAYFLOWX_PORT_<NAME>. */
const DEFAULT_PORTS = {
  gateway: 8080,
  auth: 50051,
  authorization: 50052,
  payment: 50053,
  ledger: 50054,
  notification: 50055,
  analytics: 50056,
  postgres: 5432,
  kafka: 9092,
  kafka_controller: 9093,
  kafka_broker: 9094,
  rabbitmq: 5672,
  rabbitmq_cluster: 25672,
  rabbitmq_epmd: 4370,
  consul: 8500,
  consul_server: 8510,
  consul_serf: 8511,
  mail: 1025,
  mail_page: 1080,
  auth_metrics: 9151,
  authorization_metrics: 9152,
  payment_metrics: 9153,
  ledger_metrics: 9154,
  notification_metrics: 9155,
  analytics_metrics: 9156,
  gateway_metrics: 9180,
  prometheus: 9090,
  node_exporter: 9100,
  jaeger: 16686,
  jaeger_grpc: 16685,
  jaeger_otlp: 4318,
} as const;

export type PortName = keyof typeof DEFAULT_PORTS;
export type Ports = Readonly<Record<PortName, number>>;

export interface Settings {
  readonly ports: Ports;
  /**
   * How many instances of every service: the second listens 30,000 ports lower, the second gateway one higher. The second's metrics are ten
   * ports higher.
   */
  readonly instances: 1 | 2;
  /** Lets tests crash a service at a named point. Off otherwise. */
  readonly faults: boolean;
  /** The services send traces to the local Jaeger. */
  readonly traces: boolean;
  /** How long `up` waits for the one-off build of Consul before it continues with fixed addresses. */
  readonly consulWaitMs: number;
  /** Servers that this tool does not start. They take precedence. */
  readonly external: {
    /** The URL of an administrator. */
    readonly postgres?: string | undefined;
    /** The settings of all clients. */
    readonly kafka?: ClientSettings | undefined;
    readonly rabbitmq?: ClientSettings | undefined;
    readonly consul?: ClientSettings | undefined;
    /** An SMTP URL. */
    readonly mail?: string | undefined;
  };
}

/** Variables of the services that say how they reach a server. */
/** Browsers and Node's `fetch` connect to none of these. Those above 1023, of https://fetch.spec.whatwg.org/#port-blocking. */
const BLOCKED_PORTS = [
  ...[1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669],
  ...[6679, 6697, 10080],
];

function portsOf(env: NodeJS.ProcessEnv): Ports {
  const offset = number(env, 'PAYFLOWX_PORT_OFFSET', 0, 10_000);
  const entries = Object.entries(DEFAULT_PORTS).map(([name, port]) => [
    name,
    number(env, `PAYFLOWX_PORT_${name.toUpperCase()}`, port + offset, 65_535),
  ]);
  const ports = Object.fromEntries(entries) as Ports;
  // The second gateway has the next port.
  const blocked = [ports.gateway, ports.gateway + 1].find((port) => BLOCKED_PORTS.includes(port));
  if (blocked !== undefined) {
    const hint = 'Choose another PAYFLOWX_PORT_OFFSET or PAYFLOWX_PORT_GATEWAY.';
    throw new Failure(`Browsers refuse to connect to port ${blocked}, which the gateway would have.`, hint);
  }
  return ports;
}

export type ClientSettings = Readonly<Record<string, string>>;

export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    ports: portsOf(env),
    instances: number(env, 'INSTANCES', 1, 2) === 2 ? 2 : 1,
    faults: isOn(env.PAYFLOWX_FAULTS) || isOn(env.FAULTS),
    traces: isOn(env.PAYFLOWX_TRACES) || isOn(env.TRACES),
    consulWaitMs: 1000 * number(env, 'PAYFLOWX_CONSUL_WAIT_S', 300, 3600),
    external: {
      postgres: settingOf(env, 'POSTGRES_ADMIN_URL'),
      kafka: clientSettings(env, 'KAFKA_BROKERS', [
        'KAFKA_TLS',
        'KAFKA_CA_FILE',
        'KAFKA_USERNAME',
        'KAFKA_PASSWORD',
      ]),
      rabbitmq: clientSettings(env, 'RABBITMQ_URL', ['RABBITMQ_CA_FILE']),
      consul: clientSettings(env, 'CONSUL_URL', ['CONSUL_CA_FILE', 'CONSUL_TOKEN']),
      mail: settingOf(env, 'SMTP_URL'),
    },
  };
}

function number(env: NodeJS.ProcessEnv, name: string, otherwise: number, most: number): number {
  const value = env[name];
  if (value === undefined || value === '') return otherwise;
  if (/^\d+$/.test(value) && Number(value) <= most) return Number(value);
  throw new Failure(`${name} is '${value}'.`, `Give a whole number up to ${most}, or leave ${name} out.`);
}

/** The variables that are set. Undefined without `address`. */
function clientSettings(
  env: NodeJS.ProcessEnv,
  address: string,
  others: readonly string[],
): ClientSettings | undefined {
  const values = [address, ...others].map((name) => [name, settingOf(env, name)]);
  const given: ClientSettings = Object.fromEntries(values.filter(([, value]) => value));
  return address in given ? given : undefined;
}

/** The value, or the content of the file `<NAME>_FILE`. */
function settingOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const path = env[`${name}_FILE`];
  if (!path || env[name]) return env[name] || undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Failure(`${name}_FILE cannot be read: ${(error as Error).message}`, `Correct ${name}_FILE.`);
  }
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}
