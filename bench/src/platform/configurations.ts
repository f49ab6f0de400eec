/** The platform's normal configuration, and variants with one change, to measure the effect of that change. */
import { isAlive } from '../measure/process-usage.ts';
import { SERVICES } from '../services.ts';
import { type Checkout, startPlatform, supervisedPids } from './checkout.ts';

const SINGLE_INSTANCES = { INSTANCES: '1', FAULTS: '0' };

/** Settings of infra and of the services, from their READMEs. */
const CONFIGURATIONS = {
  standard: SINGLE_INSTANCES,
  /**
   * The request path without batching: one call and one transaction for each payment. Any number may be in flight, so that
   * payments do not queue.
   */
  unbatched: {
    ...SINGLE_INSTANCES,
    GATEWAY__PAYMENT_BATCH_SIZE: '1',
    GATEWAY__PAYMENT_BATCHES_IN_FLIGHT: '64',
    PAYMENT__BATCH_SIZE: '1',
    PAYMENT__BATCHES_IN_FLIGHT: '16',
    PAYMENT__POSTGRES_POOL_MAX: '32',
    AUTHORIZATION__BATCH_SIZE: '1',
    AUTHORIZATION__BATCHES_IN_FLIGHT: '16',
    AUTHORIZATION__POSTGRES_POOL_MAX: '16',
  },
  /** Without metrics. */
  bare: {
    ...SINGLE_INSTANCES,
    ...Object.fromEntries(SERVICES.map((service) => [`PAYFLOWX_PORT_${service.toUpperCase()}_METRICS`, '0'])),
  },
  /** With traces of the default share of the payments. */
  traced: { ...SINGLE_INSTANCES, TRACES: '1', OTEL_TRACES_SAMPLER_ARG: '0.01' },
  doubled: { ...SINGLE_INSTANCES, INSTANCES: '2' },
} as const satisfies Record<string, Record<string, string>>;

export type Configuration = keyof typeof CONFIGURATIONS;

export interface Platform {
  /** Starts the platform with these settings, unless it already runs with them. */
  use(configuration: Configuration): Promise<void>;
  /** Restores the normal configuration. */
  restore(): Promise<void>;
  /** Ids of its processes, by name. */
  processes(): Promise<ReadonlyMap<string, number>>;
  /** All running gateways. */
  gateways(): Promise<string[]>;
}

export function createPlatform(checkout: Checkout): Platform {
  // `make bench` has just started it.
  let current: Configuration = 'standard';
  // A call to the supervisor costs half a second of CPU. Checking the last answer costs almost nothing.
  let known: ReadonlyMap<string, number> = new Map();
  async function use(configuration: Configuration): Promise<void> {
    if (configuration === current) return;
    await startPlatform(checkout, CONFIGURATIONS[configuration]);
    current = configuration;
    known = new Map();
  }
  async function processes(): Promise<ReadonlyMap<string, number>> {
    if (known.size === 0 || [...known.values()].some((pid) => !isAlive(pid)))
      known = await supervisedPids(checkout);
    return known;
  }
  return {
    use,
    processes,
    restore: () => use('standard'),
    async gateways() {
      const second = new URL(checkout.gateway);
      second.port = String(Number(second.port) + 1);
      const isDoubled = (await processes()).has('gateway-2');
      return isDoubled ? [checkout.gateway, second.origin] : [checkout.gateway];
    },
  };
}
