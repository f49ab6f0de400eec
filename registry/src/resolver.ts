/** Resolves `consul:///payment` for grpc-js to all passing instances of payment, and follows their changes. */

import { type ChannelOptions, experimental, Metadata, type ServiceConfig, status } from '@grpc/grpc-js';
import { openConsul } from './consul-client.ts';
import { type Directory, openDirectory, type Resolution } from './directory.ts';
import type { RegistryOptions } from './membership.ts';
import { balancedServiceConfig } from './service-config.ts';

/**
 * Registers the `consul` scheme for the whole process. Call it once, before the first channel is created. With an empty
 * URL of Consul, calls to such targets fail with UNAVAILABLE and name the missing setting.
 */
export function resolveThroughConsul({ consul, log }: RegistryOptions): void {
  const directory = consul.url === '' ? emptyDirectory : openDirectory({ consul: openConsul(consul), log });

  class ConsulResolver extends ServiceResolver {
    constructor(
      target: experimental.GrpcUri,
      listener: experimental.ResolverListener,
      options: ChannelOptions,
    ) {
      super(directory, target.path, listener, balancedServiceConfig(options['grpc.service_config']));
    }

    static getDefaultAuthority(target: experimental.GrpcUri): string {
      if (target.authority) {
        throw new Error(`Write consul:///${target.path}: CONSUL_URL sets the address of Consul.`);
      }
      return target.path;
    }
  }

  experimental.registerResolver('consul', ConsulResolver);
}

/** Resolves one service for one channel. It is a class because grpc-js constructs its resolvers with `new`. */
class ServiceResolver implements experimental.Resolver {
  readonly #start: () => () => void;
  #stop: (() => void) | undefined;

  constructor(
    directory: Directory,
    service: string,
    listener: experimental.ResolverListener,
    serviceConfig: ServiceConfig,
  ) {
    const config = experimental.statusOrFromValue(serviceConfig);
    const pass = (resolution: Resolution) => void listener(toEndpoints(resolution), {}, config, '');
    this.#start = () => directory.subscribe(service, pass);
  }

  /**
   * grpc-js calls this repeatedly while connections change. A result for each call would make it reconnect and call again, and
   * starve the event loop. So the first call subscribes, and later results are sent only for changes.
   */
  updateResolution(): void {
    this.#stop ??= this.#start();
  }

  /** Also called when a channel goes idle; updateResolution then starts over. */
  destroy(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}

function toEndpoints(resolution: Resolution): experimental.StatusOr<experimental.Endpoint[]> {
  if ('addresses' in resolution) {
    return experimental.statusOrFromValue(resolution.addresses.map((address) => ({ addresses: [address] })));
  }
  return experimental.statusOrFromError({
    code: status.UNAVAILABLE,
    details: resolution.unavailable,
    metadata: new Metadata(),
  });
}

/** Used if no registry is configured. */
const emptyDirectory: Directory = {
  subscribe(service, subscriber) {
    const unavailable = `No registry is configured: set CONSUL_URL, or ${service.toUpperCase()}_TARGET to a fixed address such as dns:///${service}:50051.`;
    const timer = setImmediate(() => subscriber({ unavailable }));
    return () => clearImmediate(timer);
  },
};
