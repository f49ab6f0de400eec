/** The users of Kafka and their rights. Everything that no rule allows is refused. */

import kafkajs, {
  type AclEntry,
  type AclOperationTypes,
  type AclResourceTypes,
  type ResourcePatternTypes,
} from 'kafkajs';

const { TOPIC, GROUP } = kafkajs.AclResourceTypes;
const { LITERAL, PREFIXED } = kafkajs.ResourcePatternTypes;
const { READ, WRITE, CREATE, DELETE, DESCRIBE } = kafkajs.AclOperationTypes;

interface Rule {
  readonly resourceType: AclResourceTypes;
  readonly resourceName: string;
  readonly resourcePatternType: ResourcePatternTypes;
  readonly operations: readonly AclOperationTypes[];
}

const topic = (resourceName: string, ...operations: AclOperationTypes[]): Rule => ({
  resourceType: TOPIC,
  resourceName,
  resourcePatternType: LITERAL,
  operations,
});
const group = (resourceName: string, ...operations: AclOperationTypes[]): Rule => ({
  ...topic(resourceName, ...operations),
  resourceType: GROUP,
});
const prefixed = (rule: Rule): Rule => ({ ...rule, resourcePatternType: PREFIXED });

const EVENTS = 'payment-events';
const DEAD_LETTERS = 'payment-events.dlt';

/** A rebuild of a consumer's database reads events in a group of its own, and deletes that. */
const rebuild = (name: string): Rule => prefixed(group(`${name}-replay-`, READ, DELETE));

/** A consumer of the events in its own group. */
const consumer = (name: string): Rule[] => [
  topic(EVENTS, READ),
  topic(DEAD_LETTERS, WRITE),
  group(name, READ),
  rebuild(name),
];

/** READ and WRITE include DESCRIBE. */
const RULES = {
  // Only payment may produce events. So dead letters are sent back as payment, which has to read them for that.
  // Payment reads its own events only to restore its database.
  payment: [
    topic(EVENTS, WRITE, READ),
    topic(DEAD_LETTERS, READ),
    group(`${DEAD_LETTERS}.redrive`, READ),
    rebuild('payment'),
  ],
  ledger: consumer('ledger'),
  analytics: consumer('analytics'),
  tests: [
    prefixed(topic('test-', CREATE, DELETE, READ, WRITE)),
    prefixed(group('test-', READ, DELETE, DESCRIBE)),
    // The tests run the real command of a rebuild, on topics of their own.
    rebuild('ledger'),
    rebuild('analytics'),
    rebuild('payment'),
  ],
} satisfies Record<string, readonly Rule[]>;

export type KafkaUser = keyof typeof RULES;
export const KAFKA_USERS = Object.keys(RULES) as KafkaUser[];

export const kafkaUserName = (user: KafkaUser): string => `payflowx_${user}`;
const principalOf = (user: KafkaUser): string => `User:${kafkaUserName(user)}`;

/** The rules of all users, one for each operation, as Kafka stores them. */
export function wantedAcls(): AclEntry[] {
  return KAFKA_USERS.flatMap((user) =>
    (RULES[user] as readonly Rule[]).flatMap(({ operations, ...resource }) =>
      operations.map((operation) => ({
        ...resource,
        principal: principalOf(user),
        host: '*',
        operation,
        permissionType: kafkajs.AclPermissionTypes.ALLOW,
      })),
    ),
  );
}
