/** Service discovery on Consul: membership of an instance, the `consul:///name` targets of grpc-js, and certificates. */

export { type ConnectCertificate, watchConnectCertificate } from './connect-certificate.ts';
export type { ConsulConnection } from './consul-client.ts';
export type { Log } from './log.ts';
export {
  type HealthCheck,
  type Instance,
  joinRegistry,
  type Membership,
  type RegistryOptions,
} from './membership.ts';
export {
  type Health,
  openRegistryReader,
  type RegisteredInstance,
  type RegistryReader,
} from './registered-instances.ts';
export { resolveThroughConsul } from './resolver.ts';
