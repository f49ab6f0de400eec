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

const QUEUES = '^payment-notifications(\\.dlq)?$';
const WORK_QUEUE = '^payment-notifications$';
const DEFAULT_EXCHANGE = '^amq\\.default$';
const EVERYTHING = '.*';

/** A user may only declare a queue with a dead-letter exchange if it may read the queue and write to the exchange. */
const PERMISSIONS = {
  payment: { vhost: VHOST, configure: QUEUES, write: DEFAULT_EXCHANGE, read: WORK_QUEUE },
  notification: { vhost: VHOST, configure: QUEUES, write: DEFAULT_EXCHANGE, read: QUEUES },
  tests: { vhost: TEST_VHOST, configure: EVERYTHING, write: EVERYTHING, read: EVERYTHING },
} as const satisfies Record<string, Permissions>;

export type RabbitUser = keyof typeof PERMISSIONS;
const USERS = Object.keys(PERMISSIONS) as RabbitUser[];

/** For people: no process uses it. */
export const ADMINISTRATOR = 'payflowx';

/** Returns the URL of each user. */
export function rabbitUrls(port: number, secret: Secrets): Record<RabbitUser, string> {
  const urlOf = (user: RabbitUser) =>
    `amqp://${nameOf(user)}:${passwordOf(user, secret)}@127.0.0.1:${port}/${PERMISSIONS[user].vhost}`;
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
  return JSON.stringify({
    users: [administrator, ...users],
    vhosts: [{ name: VHOST }, { name: TEST_VHOST }],
    permissions: [{ user: ADMINISTRATOR, vhost: VHOST, ...all }, ...permissions],
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
