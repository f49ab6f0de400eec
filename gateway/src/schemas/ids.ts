/** Ids on the wire: a prefix for the kind of object, and a UUID. */
import { type TUnsafe, Type } from 'typebox';
import { named } from './named.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const EXAMPLE = '0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d';

function idSchema(name: string, prefix: string, description: string) {
  return named(
    name,
    Type.String({ pattern: `^${prefix}_${UUID}$`, description, examples: [`${prefix}_${EXAMPLE}`] }),
  );
}

export const UserId = idSchema('UserId', 'usr', 'A user.');
export const AccountId = idSchema('AccountId', 'acct', 'An account of a user.');
export const PaymentId = idSchema('PaymentId', 'pay', 'A payment.');
export const CaptureId = idSchema('CaptureId', 'cap', 'A capture.');
export const RefundId = idSchema('RefundId', 'ref', 'A refund.');
export const TransactionId = idSchema('TransactionId', 'txn', 'A transaction of the journal.');
export const RuleId = idSchema('RuleId', 'rule', 'A rule.');
export const ReconciliationId = idSchema('ReconciliationId', 'rec', 'A reconciliation.');
export const EventId = idSchema('EventId', 'evt', 'An event.');
export const EndpointId = idSchema('EndpointId', 'whe', 'A webhook endpoint.');
export const DeliveryId = idSchema('DeliveryId', 'whd', 'A delivery of a webhook.');
export const SessionId = idSchema('SessionId', 'fam', 'A session: a login and its tokens.');
export const SecondFactorId = idSchema('SecondFactorId', 'sf', 'A second factor of a user.');
export const ApiClientId = idSchema('ApiClientId', 'cli', 'An API client.');
export const MailId = idSchema('MailId', 'mail', 'A mail to a user.');
export const DeadLetterId = idSchema('DeadLetterId', 'dl', 'A message that was given up.');
export const MailSuppressionId = idSchema('MailSuppressionId', 'sup', 'An address that gets no mails.');

/**
 * An account of a user, or one of the external accounts. There is one external account for each currency; money enters and leaves
 * the platform through it.
 */
export const AnyAccountId = named(
  'AnyAccountId',
  Type.String({
    pattern: `^(acct_${UUID}|external:[A-Z]{3})$`,
    description: 'An account of a user, or the external account `external:CURRENCY`.',
    examples: [`acct_${EXAMPLE}`],
  }),
);

/** The `{id}` of a path. */
export const pathId = (schema: TUnsafe<string>) => Type.Object({ id: schema });
