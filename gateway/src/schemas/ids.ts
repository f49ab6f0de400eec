/** Ids on the wire: a prefix for the kind of object, and a UUID. */
import { type TUnsafe, Type } from 'typebox';
import { pattern } from './expected-words.ts';
import { named } from './named.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const EXAMPLE = '0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d';

/** `noun` is what the id names, with its article. */
function idSchema(name: string, prefix: string, noun: string, description: string) {
  return named(
    name,
    Type.String({
      pattern: pattern(`^${prefix}_${UUID}$`, `is not the id of ${noun} (${prefix}_…)`),
      description,
      examples: [`${prefix}_${EXAMPLE}`],
    }),
  );
}

export const UserId = idSchema('UserId', 'usr', 'a user', 'A user.');
export const AccountId = idSchema('AccountId', 'acct', 'an account', 'An account of a user.');
export const PaymentId = idSchema('PaymentId', 'pay', 'a payment', 'A payment.');
export const MandateId = idSchema('MandateId', 'man', 'a mandate', 'A mandate.');
export const CaptureId = idSchema('CaptureId', 'cap', 'a capture', 'A capture.');
export const RefundId = idSchema('RefundId', 'ref', 'a refund', 'A refund.');
export const TransactionId = idSchema(
  'TransactionId',
  'txn',
  'a transaction',
  'A transaction of the journal.',
);
export const RuleId = idSchema('RuleId', 'rule', 'a rule', 'A rule.');
export const ReconciliationId = idSchema('ReconciliationId', 'rec', 'a reconciliation', 'A reconciliation.');
export const EventId = idSchema('EventId', 'evt', 'an event', 'An event.');
export const EndpointId = idSchema('EndpointId', 'whe', 'a webhook endpoint', 'A webhook endpoint.');
export const DeliveryId = idSchema('DeliveryId', 'whd', 'a delivery', 'A delivery of a webhook.');
export const SessionId = idSchema('SessionId', 'fam', 'a session', 'A session: a login and its tokens.');
export const SecondFactorId = idSchema(
  'SecondFactorId',
  'sf',
  'a second factor',
  'A second factor of a user.',
);
export const ApiClientId = idSchema('ApiClientId', 'cli', 'an API client', 'An API client.');
export const MailId = idSchema('MailId', 'mail', 'a mail', 'A mail to a user.');
export const DeadLetterId = idSchema('DeadLetterId', 'dl', 'a dead letter', 'A message that was given up.');
export const MailSuppressionId = idSchema(
  'MailSuppressionId',
  'sup',
  'a suppressed address',
  'An address that gets no mails.',
);

/**
 * An account of a user, or one of the external accounts. There is one external account for each currency; money enters and leaves
 * the platform through it.
 */
export const AnyAccountId = named(
  'AnyAccountId',
  Type.String({
    pattern: pattern(
      `^(acct_${UUID}|external:[A-Z]{3})$`,
      'is not the id of an account (acct_… or external:EUR)',
    ),
    description: 'An account of a user, or the external account `external:CURRENCY`.',
    examples: [`acct_${EXAMPLE}`],
  }),
);

/** The `{id}` of a path. */
export const pathId = (schema: TUnsafe<string>) => Type.Object({ id: schema });
