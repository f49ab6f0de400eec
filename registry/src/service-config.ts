/** Adds load balancing over all instances to the caller's service config. */

import { experimental, type MethodConfig, type ServiceConfig } from '@grpc/grpc-js';

/**
 * Merges the service config of a channel with round_robin. The caller's config (`grpc.service_config`, validated by grpc-js)
 * keeps its retry policies, timeouts and throttling, and its own balancing policy if it names one. The merge is needed because a
 * resolver's service config replaces the caller's completely.
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

/** The JSON form: all fields are optional, and durations are still text. */
type WrittenServiceConfig = Partial<Omit<ServiceConfig, 'methodConfig'>> & {
  methodConfig?: (Omit<MethodConfig, 'timeout'> & { timeout?: MethodConfig['timeout'] | string })[];
};

function parsedTimeout(timeout: MethodConfig['timeout'] | string): Pick<MethodConfig, 'timeout'> {
  const parsed = typeof timeout === 'string' ? experimental.parseDuration(timeout) : timeout;
  return parsed ? { timeout: parsed } : {};
}
