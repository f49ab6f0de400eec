/** The users of RabbitMQ and their permissions: one user for each service that uses it, one for the tests, one administrator. */
import { createHash } from 'node:crypto';
import type { Secrets } from '../secrets.ts';

const VHOST = 'payflowx';
/** Tests create and delete queues, so they have a virtual host of their own. */
const TEST_VHOST = 'payflowx_tests';

interface Permissions {
  readonly vhost: string;
  /** Regular expressions for the names of queues and exchanges. The default exchange is named `amq.default`. */
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

const QUEUES = ['payment-notifications', 'identity-notifications'] as const;
type Queue = (typeof QUEUES)[number];

const EVERYTHING = '.*';
const NOTHING = '^$';

/** Each queue has an exchange of its name. The default exchange leads to all queues, so only notification has it, which owns them. */
const publisher = (queue: Queue): Permissions => ({
  vhost: VHOST,
  configure: NOTHING,
  write: `^${queue}$`,
  read: NOTHING,
});
const NOTIFICATION = {
  all: '^(payment|identity)-notifications(\\.dlq)?$',
  write: '^(amq\\.default|(payment|identity)-notifications)$',
};

/** A user may only declare a queue with a dead-letter exchange if it may read the queue and write to the exchange. */
const PERMISSIONS = {
  auth: publisher('identity-notifications'),
  payment: publisher('payment-notifications'),
  notification: {
    vhost: VHOST,
    configure: NOTIFICATION.all,
    write: NOTIFICATION.write,
    read: NOTIFICATION.all,
  },
  tests: { vhost: TEST_VHOST, configure: EVERYTHING, write: EVERYTHING, read: EVERYTHING },
} satisfies Record<string, Permissions>;

/** The same as in `chassis/src/messaging/rabbit/publisher.ts`, because notification declares it too. A test compares both. */
function topologyOf(queue: Queue) {
  const common = { vhost: VHOST, durable: true, auto_delete: false };
  const work = {
    'x-queue-type': 'quorum',
    'x-delivery-limit': 5,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': `${queue}.dlq`,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  };
  return {
    exchanges: [{ ...common, name: queue, type: 'direct', internal: false, arguments: {} }],
    queues: [
      { ...common, name: `${queue}.dlq`, arguments: { 'x-queue-type': 'quorum' } },
      { ...common, name: queue, arguments: work },
    ],
    bindings: [
      {
        vhost: VHOST,
        source: queue,
        destination: queue,
        destination_type: 'queue',
        routing_key: queue,
        arguments: {},
      },
    ],
  };
}

export type RabbitUser = keyof typeof PERMISSIONS;
const USERS = Object.keys(PERMISSIONS) as RabbitUser[];

/** For people: no process uses it. */
const ADMINISTRATOR = 'payflowx';

/** Returns the URL of each user at a server such as `amqps://127.0.0.1:5671`. */
export function rabbitUrls(server: string, secret: Secrets): Record<RabbitUser, string> {
  const urlOf = (user: RabbitUser) => {
    const url = new URL(`/${PERMISSIONS[user].vhost}`, server);
    url.username = nameOf(user);
    url.password = passwordOf(user, secret);
    return url.href;
  };
  return Object.fromEntries(USERS.map((user) => [user, urlOf(user)])) as Record<RabbitUser, string>;
}

/**
 * Returns RabbitMQ's definitions: https://www.rabbitmq.com/docs/definitions. An import creates what is missing, and corrects
 * passwords and permissions.
 */
export function rabbitDefinitions(secret: Secrets): string {
  const administrator = {
    ...loginOf(ADMINISTRATOR, secret(`rabbitmq/${ADMINISTRATOR}`)),
    tags: 'administrator',
  };
  const users = USERS.map((user) => ({ ...loginOf(nameOf(user), passwordOf(user, secret)), tags: '' }));
  const permissions = USERS.map((user) => ({ user: nameOf(user), ...PERMISSIONS[user] }));
  const all = { configure: EVERYTHING, write: EVERYTHING, read: EVERYTHING };
  const topologies = QUEUES.map(topologyOf);
  return JSON.stringify({
    users: [administrator, ...users],
    vhosts: [{ name: VHOST }, { name: TEST_VHOST }],
    permissions: [{ user: ADMINISTRATOR, vhost: VHOST, ...all }, ...permissions],
    exchanges: topologies.flatMap(({ exchanges }) => exchanges),
    queues: topologies.flatMap(({ queues }) => queues),
    bindings: topologies.flatMap(({ bindings }) => bindings),
  });
}

function nameOf(user: RabbitUser): string {
  return `payflowx_${user}`;
}

function passwordOf(user: RabbitUser, secret: Secrets): string {
  return secret(`rabbitmq/${nameOf(user)}`);
}

/**
 * The hash is the SHA-256 of four bytes of salt and the password, after the salt. The salt comes from the password, so that equal
 * secrets give equal definitions, and an unchanged node is not restarted. The passwords are random.
 */
function loginOf(name: string, password: string) {
  const sha256 = (...parts: (string | Buffer)[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
  const salt = sha256(name, password).subarray(0, 4);
  return {
    name,
    password_hash: Buffer.concat([salt, sha256(salt, password)]).toString('base64'),
    hashing_algorithm: 'rabbit_password_hashing_sha256',
  };
}
