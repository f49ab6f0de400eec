/** Service discovery on Consul: membership of an instance, and the `consul:///name` targets of grpc-js. */

export type { Log } from './log.ts';
export {
  type HealthCheck,
  type Instance,
  joinRegistry,
  type Membership,
  type RegistryOptions,
} from './membership.ts';
export { resolveThroughConsul } from './resolver.ts';
