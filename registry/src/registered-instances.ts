/** Reads every registered instance from Consul, for people and scripts. Calls do not use it. */

import type Consul from 'consul';
import { type ConsulConnection, openConsul } from './consul-client.ts';

export type Health = 'passing' | 'warning' | 'critical';

export interface RegisteredInstance {
  service: string;
  id: string;
  address: string;
  /** The worst of its checks. */
  health: Health;
  /** The output of the checks that do not pass, on one line. Empty if all pass. */
  reason: string;
  tags: string[];
}

/** All registered services by name, without Consul itself. */
export async function listServices(consul: Consul): Promise<string[]> {
  const services = Object.keys(await consul.catalog.service.list());
  return services.filter((name) => name !== 'consul').sort();
}

/** The instances of one service, healthy or not, by id. */
export async function listInstances(consul: Consul, service: string): Promise<RegisteredInstance[]> {
  const entries: HealthEntry[] = await consul.health.service({ service });
  return entries.map(toInstance).sort((a, b) => a.id.localeCompare(b.id));
}

export interface RegistryReader {
  /** All instances by service and id, healthy or not. Undefined without a registry. Rejects while Consul is unavailable. */
  read(): Promise<RegisteredInstance[] | undefined>;
  close(): void;
}

export function openRegistryReader(connection: ConsulConnection): RegistryReader {
  if (connection.url === '') return { read: async () => undefined, close() {} };
  const consul = openConsul(connection);
  return {
    async read() {
      const services = await listServices(consul);
      return (await Promise.all(services.map((name) => listInstances(consul, name)))).flat();
    },
    close: () => consul.destroy(),
  };
}

/** The fields of Consul's answer that are used here. */
interface HealthEntry {
  Node: { Address: string };
  Service: { ID: string; Service: string; Address: string; Port: number; Tags: string[] | null };
  Checks: { Status: Health; Output: string }[];
}

function toInstance({ Node, Service, Checks }: HealthEntry): RegisteredInstance {
  const host = Service.Address || Node.Address;
  const failing = Checks.filter(({ Status }) => Status !== 'passing');
  return {
    service: Service.Service,
    id: Service.ID,
    address: `${host.includes(':') ? `[${host}]` : host}:${Service.Port}`,
    health: failing.some(({ Status }) => Status === 'critical')
      ? 'critical'
      : failing.length > 0
        ? 'warning'
        : 'passing',
    reason: failing.map(({ Output }) => Output.replace(/\s+/g, ' ').trim() || 'not checked yet').join('; '),
    tags: Service.Tags ?? [],
  };
}
