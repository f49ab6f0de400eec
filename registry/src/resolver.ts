/** Makes `consul:///payment` a target of grpc-js: all passing instances of payment, followed as they change. */

import { type ChannelOptions, experimental, Metadata, type ServiceConfig, status } from '@grpc/grpc-js';
import { openConsul } from './consul-client.ts';
import { type Directory, openDirectory, type Whereabouts } from './directory.ts';
import type { RegistryOptions } from './membership.ts';
import { balancedServiceConfig } from './service-config.ts';

/**
 * Registers the `consul` scheme for the whole process; call it once, before the first channel is made. With an empty
 * `consulUrl` the scheme is registered too, and calls to such targets fail with UNAVAILABLE and say what to configure.
 */
export function resolveThroughConsul({ consulUrl, log }: RegistryOptions): void {
  const directory = consulUrl === '' ? emptyDirectory : openDirectory({ consul: openConsul(consulUrl), log });

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
        throw new Error(`Write consul:///${target.path}: which Consul is asked is configured by CONSUL_URL.`);
      }
      return target.path;
    }
  }

  experimental.registerResolver('consul', ConsulResolver);
}

/** One channel's view of one service. A class because grpc-js constructs its resolvers with `new`. */
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
    const pass = (whereabouts: Whereabouts) => void listener(toEndpoints(whereabouts), {}, config, '');
    this.#start = () => directory.subscribe(service, pass);
  }

  /**
   * grpc-js calls this again and again while connections change. An answer to each call makes it connect anew and call
   * again, and the event loop gets to nothing else any more. So the first call subscribes, and from then on only news counts.
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

function toEndpoints(whereabouts: Whereabouts): experimental.StatusOr<experimental.Endpoint[]> {
  if ('addresses' in whereabouts) {
    return experimental.statusOrFromValue(whereabouts.addresses.map((address) => ({ addresses: [address] })));
  }
  return experimental.statusOrFromError({
    code: status.UNAVAILABLE,
    details: whereabouts.unavailable,
    metadata: new Metadata(),
  });
}

/** Stands in where no registry is configured. */
const emptyDirectory: Directory = {
  subscribe(service, subscriber) {
    const unavailable = `No registry is configured: set CONSUL_URL, or ${service.toUpperCase()}_TARGET to a fixed address such as dns:///${service}:50051.`;
    const timer = setImmediate(() => subscriber({ unavailable }));
    return () => clearImmediate(timer);
  },
};
