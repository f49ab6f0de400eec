/**
 * Takes over each service in turn, and uses everything that its process holds: its certificate, its passwords, its environment, the
 * files that this names. All that is not the service's business must be refused. The tables in `src/access-table.ts` and
 * `src/reach/table.ts` say what is, and everything that exists must be in them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS, SERVICE_CALLERS } from '../src/access-table.ts';
import { certificateOf, type Environment, environmentsOf, secretsOf } from '../src/belongings.ts';
import * as consul from '../src/reach/consul.ts';
import * as kafka from '../src/reach/kafka.ts';
import * as postgres from '../src/reach/postgres.ts';
import * as rabbitmq from '../src/reach/rabbitmq.ts';
import {
  DATABASES,
  EXCHANGES,
  GROUP_PREFIXES,
  GROUPS,
  OF_TESTS,
  QUEUES,
  REGISTERED_NAMES,
  SERVICES,
  type ServiceName,
  TOPICS,
  VIRTUAL_HOSTS,
} from '../src/reach/table.ts';
import { type Rpc, rpcsOfServers } from '../src/rpc.ts';

const REFUSED = ['UNAUTHENTICATED', 'PERMISSION_DENIED'];

let environments: ReadonlyMap<string, Environment>;
const environment = (service: string) => environments.get(service) as Environment;

beforeAll(async () => {
  environments = await environmentsOf(SERVICES);
});

/** The keys of a table for which the service may do this. */
function allowed<Way extends string>(
  table: Readonly<Record<string, Readonly<Record<Way, readonly ServiceName[]>>>>,
  way: Way,
  service: ServiceName,
): string[] {
  return Object.keys(table)
    .filter((key) => table[key]?.[way].includes(service))
    .sort();
}

/** The keys of a table for which the attempt succeeds. One after the other, because servers limit concurrent attempts. */
async function reached(table: object, attempt: (key: string) => Promise<boolean>): Promise<string[]> {
  const keys: string[] = [];
  for (const key of Object.keys(table)) if (await attempt(key)) keys.push(key);
  return keys.sort();
}

describe('the tables have everything that exists, and nothing else:', () => {
  const ofPlatform = (names: readonly string[]) => names.filter((name) => !OF_TESTS.test(name)).sort();
  const keysOf = (table: object) => Object.keys(table).sort();

  it('RPCs that services call', async () => {
    const names = (await rpcsOfServers()).map(({ shortName }) => shortName);
    expect(names).toEqual(expect.arrayContaining(Object.keys(SERVICE_CALLERS)));
    expect(ACCESS.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it('databases', async () => {
    const names = await postgres.databasesOf(process.env.TEST_POSTGRES_ADMIN_URL ?? '');
    expect(ofPlatform(names)).toEqual(keysOf(DATABASES));
  });

  it('topics and consumer groups', async () => {
    await kafka.withAdmin(kafka.asAdministrator(), async (admin) => {
      expect(ofPlatform(await admin.listTopics())).toEqual(keysOf(TOPICS));
      const { groups } = await admin.listGroups();
      const names = groups.map(({ groupId }) => groupId);
      const isOfCommand = (name: string) =>
        Object.keys(GROUP_PREFIXES).some((prefix) => name.startsWith(prefix));
      expect(ofPlatform(names).filter((name) => !isOfCommand(name) && !(name in GROUPS))).toEqual([]);
    });
  });

  it('queues, exchanges and virtual hosts', async () => {
    const { queues, exchanges, virtualHosts } = await rabbitmq.existingObjects();
    expect(queues.sort()).toEqual(keysOf(QUEUES));
    expect(exchanges.sort()).toEqual(keysOf(EXCHANGES));
    expect(virtualHosts.sort()).toEqual(keysOf(VIRTUAL_HOSTS));
  });

  it('names in Consul', async () => {
    const client = consul.consulOf(environment('payment'));
    if (client === undefined) return;
    const { body } = await consul.ask(client, 'GET', '/v1/catalog/services');
    expect(ofPlatform(Object.keys(JSON.parse(body)))).toEqual(keysOf(REGISTERED_NAMES));
  });
});

describe.each(SERVICES)('%s', (service) => {
  it('may call only its own RPCs of others, and public ones', async () => {
    const open = await openRpcs(await rpcsOfServers(certificateOf(environment(service))));
    const own = Object.keys(SERVICE_CALLERS).filter((name) => SERVICE_CALLERS[name]?.includes(service));
    expect(open.toSorted()).toEqual(own.toSorted());
  });

  it('reaches no database but its own, and only its rows', async () => {
    const { POSTGRES_URL: url } = environment(service);
    if (url === undefined) return expect(allowed(DATABASES, 'open', service)).toEqual([]);
    const opened = await reached(DATABASES, (database) => postgres.mayOpen(url, database));
    expect(opened).toEqual(allowed(DATABASES, 'open', service));
    expect(await postgres.permittedActs(url)).toEqual([]);
  });

  it('produces to its topics and consumes its topics only', async () => {
    const client = kafka.asService(environment(service));
    const mine = Object.keys(GROUP_PREFIXES).find((prefix) => GROUP_PREFIXES[prefix] === service);
    const produced = client ? await reached(TOPICS, (topic) => kafka.mayProduce(client, topic)) : [];
    expect(produced).toEqual(allowed(TOPICS, 'produce', service));
    const consumed =
      client && mine ? await reached(TOPICS, (topic) => kafka.mayConsume(client, topic, mine)) : [];
    expect(consumed).toEqual(allowed(TOPICS, 'consume', service));
    expect(client ? await kafka.permittedActs(client) : []).toEqual([]);
  });

  it('joins its consumer groups only', async () => {
    const client = kafka.asService(environment(service));
    const joined = client ? await reached(GROUPS, (group) => kafka.mayJoin(client, group)) : [];
    expect(joined).toEqual(allowed(GROUPS, 'join', service));
    const prefixes = client
      ? await reached(GROUP_PREFIXES, (prefix) => kafka.mayJoin(client, `${prefix}blast-radius`))
      : [];
    expect(prefixes).toEqual(
      Object.keys(GROUP_PREFIXES).filter((prefix) => GROUP_PREFIXES[prefix] === service),
    );
  });

  describe('in RabbitMQ', () => {
    let connection: Awaited<ReturnType<typeof rabbitmq.connectAs>>;
    beforeAll(async () => {
      connection = await rabbitmq.connectAs(environment(service));
    });
    afterAll(() => connection?.close());

    it('opens only its virtual host', async () => {
      const { RABBITMQ_URL, ...others } = environment(service);
      const opened = await reached(VIRTUAL_HOSTS, async (virtualHost) => {
        if (RABBITMQ_URL === undefined) return false;
        const url = new URL(RABBITMQ_URL);
        url.pathname = `/${virtualHost}`;
        return rabbitmq.mayOpen({ ...others, RABBITMQ_URL: url.href });
      });
      expect(opened).toEqual(allowed(VIRTUAL_HOSTS, 'open', service));
    });

    it('consumes and defines its queues only', async () => {
      const link = connection;
      const reach = (
        table: object,
        attempt: (to: NonNullable<typeof link>, key: string) => Promise<boolean>,
      ) => (link ? reached(table, (key) => attempt(link, key)) : Promise.resolve([]));
      expect(await reach(QUEUES, rabbitmq.mayConsume)).toEqual(allowed(QUEUES, 'consume', service));
      expect(await reach(QUEUES, rabbitmq.mayDefineQueue)).toEqual(allowed(QUEUES, 'define', service));
      expect(await reach({ another: {} }, rabbitmq.mayDefineQueue)).toEqual([]);
      expect(await reach(EXCHANGES, rabbitmq.mayPublish)).toEqual(allowed(EXCHANGES, 'publish', service));
      expect(await reach(EXCHANGES, rabbitmq.mayDefineExchange)).toEqual(
        allowed(EXCHANGES, 'define', service),
      );
    });
  });

  it('registers only its own name in Consul, and gets no certificate of another', async () => {
    const client = consul.consulOf(environment(service));
    if (client === undefined) return;
    expect(await consul.permittedActs(client)).toEqual([]);
    // Registering its own name would send it calls of others.
    const others = Object.fromEntries(Object.entries(REGISTERED_NAMES).filter(([name]) => name !== service));
    expect(await reached(others, (name) => consul.mayRegister(client, name))).toEqual([]);
    expect(await reached(others, (name) => consul.mayGetCertificate(client, name))).toEqual([]);
  });

  it('holds no secret of another service, in its environment or in the files that this names', () => {
    const others = SERVICES.filter((other) => other !== service);
    const known = new Set(others.flatMap((other) => secretsOf(environment(other))));
    const secrets = secretsOf(environment(service));
    expect(secrets).not.toEqual([]);
    expect(secrets.filter((secret) => known.has(secret))).toEqual([]);
  });
});

/** The names of the RPCs that are not refused, without those that are open to everyone. */
async function openRpcs(rpcs: readonly Rpc[]): Promise<string[]> {
  const isPublic = (name: string) => ACCESS.find((line) => line.name === name)?.outcomes.startsWith('ok');
  const outcomes = await Promise.all(
    rpcs.map(async (rpc) => ({ name: rpc.shortName, ...(await rpc.call({})) })),
  );
  for (const { name, code } of outcomes)
    expect(['UNAVAILABLE', 'UNIMPLEMENTED', 'UNKNOWN'], `${name} ${code}`).not.toContain(code);
  return outcomes
    .filter(({ name, code }) => !REFUSED.includes(code) && !isPublic(name))
    .map(({ name }) => name);
}
