/** Balances over all instances without losing what the caller has configured. */

import { experimental, type MethodConfig, type ServiceConfig } from '@grpc/grpc-js';

/**
 * The service config of a channel to a service in the registry: the caller's own (`grpc.service_config`, which grpc-js has
 * validated when the channel was made) with its retry policies, timeouts and throttling, and round_robin unless it asks
 * for another way of balancing. A resolver's service config replaces the caller's as a whole, hence the merge.
 */
export function balancedServiceConfig(callersConfig: string | undefined): ServiceConfig {
  const config = callersConfig === undefined ? {} : (JSON.parse(callersConfig) as WrittenServiceConfig);
  const asked = config.loadBalancingConfig ?? [];
  return {
    ...config,
    loadBalancingConfig: asked.length > 0 ? asked : [{ round_robin: {} }],
    methodConfig: (config.methodConfig ?? []).map(({ timeout, ...method }) => ({
      ...method,
      ...parsedTimeout(timeout),
    })),
  };
}

/** As it stands in JSON: all optional, and durations are still text. */
type WrittenServiceConfig = Partial<Omit<ServiceConfig, 'methodConfig'>> & {
  methodConfig?: (Omit<MethodConfig, 'timeout'> & { timeout?: MethodConfig['timeout'] | string })[];
};

function parsedTimeout(timeout: MethodConfig['timeout'] | string): Pick<MethodConfig, 'timeout'> {
  const parsed = typeof timeout === 'string' ? experimental.parseDuration(timeout) : timeout;
  return parsed ? { timeout: parsed } : {};
}
