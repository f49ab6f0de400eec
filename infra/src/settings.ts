/** All settings of a person, read from the environment in this one place. */
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
  rabbitmq: 5672,
  rabbitmq_cluster: 25672,
  rabbitmq_epmd: 4370,
  consul: 8500,
  consul_server: 8510,
  consul_serf: 8511,
} as const;

export type PortName = keyof typeof DEFAULT_PORTS;
export type Ports = Readonly<Record<PortName, number>>;

export interface Settings {
  readonly ports: Ports;
  /** How many instances of every service: the second listens 30,000 ports lower, the second gateway one higher. */
  readonly instances: 1 | 2;
  /** Lets tests crash a service at a named point. Off otherwise. */
  readonly faults: boolean;
  /** How long `up` waits for the one-off build of Consul before it continues with fixed addresses. */
  readonly consulWaitMs: number;
  /** Addresses of servers that this tool does not start. They take precedence. */
  readonly external: {
    readonly postgres?: string | undefined;
    readonly kafka?: string | undefined;
    readonly rabbitmq?: string | undefined;
    readonly consul?: string | undefined;
  };
}

export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  const offset = number(env, 'PAYFLOWX_PORT_OFFSET', 0, 10_000);
  const ports = Object.entries(DEFAULT_PORTS).map(([name, port]) => [
    name,
    number(env, `PAYFLOWX_PORT_${name.toUpperCase()}`, port + offset, 65_535),
  ]);
  return {
    ports: Object.fromEntries(ports) as Ports,
    instances: number(env, 'INSTANCES', 1, 2) === 2 ? 2 : 1,
    faults: isOn(env.PAYFLOWX_FAULTS) || isOn(env.FAULTS),
    consulWaitMs: 1000 * number(env, 'PAYFLOWX_CONSUL_WAIT_S', 300, 3600),
    external: {
      postgres: env.POSTGRES_ADMIN_URL || undefined,
      kafka: env.KAFKA_BROKERS || undefined,
      rabbitmq: env.RABBITMQ_URL || undefined,
      consul: env.CONSUL_URL || undefined,
    },
  };
}

function number(env: NodeJS.ProcessEnv, name: string, otherwise: number, most: number): number {
  const value = env[name];
  if (value === undefined || value === '') return otherwise;
  if (/^\d+$/.test(value) && Number(value) <= most) return Number(value);
  throw new Failure(`${name} is '${value}'.`, `Give a whole number up to ${most}, or leave ${name} out.`);
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}
