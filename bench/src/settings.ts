/** The settings of a bench run. The only reader of the environment. */
import { resolve } from 'node:path';

export type Mode = 'full' | 'short';

export interface Settings {
  readonly mode: Mode;
  /** The checkout of the measured platform; usually the one of this file. */
  readonly checkout: string;
  readonly accounts: number;
  /** The owners of the accounts. Each has its own tokens, like real clients. */
  readonly users: number;
  /** Number of interleaved rounds of the main figure and its comparisons. */
  readonly rounds: number;
  readonly warmUpS: number;
  readonly seconds: number;
  /** Seconds of each other workload, and of each point of the open loop. */
  readonly sideSeconds: number;
  /** Closed loop: numbers of concurrent requests to try; the one with the most payments is used. */
  readonly workers: readonly number[];
  readonly pgbenchClients: readonly number[];
  /** Seconds for each number of workers or clients to try. */
  readonly searchSeconds: number;
  /** Open loop: shares of the closed loop's maximum. */
  readonly openShares: readonly number[];
  /** Open loop: fixed rates in requests a second, instead of shares. */
  readonly openRate: number | undefined;
  /** Overload: the rate, as a multiple of the closed loop's maximum. */
  readonly overloadFactor: number;
  /** Number of lone payments, for the latency of an idle platform. */
  readonly idlePayments: number;
  /** Empty: all parts. */
  readonly parts: readonly Part[];
  readonly authorizationPort: number;
  readonly paymentPort: number;
  /** The port that the services send their traces to. */
  readonly collectorPort: number;
}

/** The parts of a run. BENCH_PARTS picks some. `telemetry` only runs if it is named. */
const PARTS = [
  'idle',
  'limit',
  'uniform',
  'ablations',
  'workloads',
  'open',
  'overload',
  'telemetry',
] as const;
export type Part = (typeof PARTS)[number];

type Sizes = Omit<
  Settings,
  'mode' | 'checkout' | 'parts' | 'openRate' | 'authorizationPort' | 'paymentPort' | 'collectorPort'
>;

const SIZES: Record<Mode, Sizes> = {
  full: {
    accounts: 100_000,
    users: 50,
    rounds: 3,
    warmUpS: 10,
    seconds: 30,
    sideSeconds: 30,
    workers: [64, 128, 256],
    pgbenchClients: [2, 4, 8, 16, 32],
    searchSeconds: 6,
    openShares: [0.25, 0.5, 0.75, 0.9, 1],
    overloadFactor: 3,
    idlePayments: 200,
  },
  short: {
    accounts: 1_000,
    users: 8,
    rounds: 1,
    warmUpS: 1,
    seconds: 3,
    sideSeconds: 1.5,
    workers: [64],
    pgbenchClients: [8],
    searchSeconds: 2,
    openShares: [0.5, 0.9],
    overloadFactor: 3,
    idlePayments: 20,
  },
};

/** Throws an Error with the reason. */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  const mode = env.BENCH_MODE || 'full';
  if (mode !== 'full' && mode !== 'short') throw new Error(`BENCH_MODE is '${mode}': give full or short.`);
  const sizes = SIZES[mode];
  const offset = number(env, 'PAYFLOWX_PORT_OFFSET', 0);
  const seconds = number(env, 'BENCH_SECONDS', sizes.seconds);
  return {
    ...sizes,
    mode,
    checkout: resolve(env.BENCH_CHECKOUT || resolve(import.meta.dirname, '../..')),
    accounts: number(env, 'BENCH_ACCOUNTS', sizes.accounts),
    users: number(env, 'BENCH_USERS', sizes.users),
    rounds: number(env, 'BENCH_ROUNDS', sizes.rounds),
    warmUpS: number(env, 'BENCH_WARM_UP_SECONDS', sizes.warmUpS),
    seconds,
    sideSeconds: env.BENCH_SECONDS ? seconds : sizes.sideSeconds,
    openRate: env.BENCH_RATE ? number(env, 'BENCH_RATE', 0) : undefined,
    workers: env.BENCH_WORKERS ? [number(env, 'BENCH_WORKERS', 0)] : sizes.workers,
    parts: parts(env.BENCH_PARTS || (mode === 'short' ? 'idle,limit,uniform,workloads,open,overload' : '')),
    authorizationPort: number(env, 'PAYFLOWX_PORT_AUTHORIZATION', 50_052 + offset),
    paymentPort: number(env, 'PAYFLOWX_PORT_PAYMENT', 50_053 + offset),
    collectorPort: number(env, 'PAYFLOWX_PORT_JAEGER_OTLP', 4_318 + offset),
  };
}

export interface Comparison {
  readonly now: Settings;
  readonly before: Settings;
  /** Pairs of turns that count. */
  readonly pairs: number;
}

/** The settings of both platforms of a comparison. Throws an Error with the reason. */
export function loadComparison(env: NodeJS.ProcessEnv): Comparison {
  const checkout = env.BENCH_BASELINE;
  if (!checkout)
    throw new Error('Give the other checkout, whose platform runs too: BENCH_BASELINE=<folder>.');
  const now = loadSettings({ ...env, BENCH_PARTS: 'uniform' });
  const offset = env.BENCH_BASELINE_PORT_OFFSET;
  const before = loadSettings({ ...env, BENCH_CHECKOUT: checkout, PAYFLOWX_PORT_OFFSET: offset });
  return { now, before, pairs: number(env, 'BENCH_PAIRS', now.mode === 'short' ? 2 : 20) };
}

function number(env: NodeJS.ProcessEnv, name: string, otherwise: number): number {
  const text = env[name];
  if (!text) return otherwise;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} is '${text}': give a number above 0.`);
  return value;
}

function parts(commaSeparated: string): Part[] {
  const names = commaSeparated.split(',').filter((name) => name !== '');
  return names.map((name) => {
    const part = PARTS.find((each) => each === name);
    if (!part) throw new Error(`BENCH_PARTS names '${name}': there are ${PARTS.join(', ')}.`);
    return part;
  });
}
