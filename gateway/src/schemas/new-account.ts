/** An account to open, as operators write it. */
import { type Static, Type } from 'typebox';
import { timeZone } from './formats.ts';
import { UserId } from './ids.ts';
import { Limits, limitsMessage } from './limits.ts';
import { Currency } from './money.ts';
import { named, ref } from './named.ts';
import { Metadata } from './notes.ts';
import { text } from './text.ts';

export const NewAccount = named(
  'NewAccount',
  Type.Object(
    {
      owner_id: ref(UserId),
      currency: ref(Currency),
      name: Type.Optional(text(100, 'A name for people to read.', 'Household')),
      external_id: Type.Optional(
        text(100, 'Your own id for it. Several accounts may have the same.', 'customer-4711'),
      ),
      metadata: Type.Optional(Metadata),
      limits: Type.Optional(ref(Limits)),
      time_zone: Type.Optional(
        timeZone('The limits count days and months of this time zone; UTC if absent.'),
      ),
    },
    { additionalProperties: false },
  ),
);

/** The account as the RPC takes it. */
export function newAccountMessage(account: Static<typeof NewAccount>, requestId: string) {
  const { owner_id, currency, name = '', external_id = '', metadata = {}, limits, time_zone = '' } = account;
  return {
    ...{ requestId, ownerId: owner_id, currency, name, metadata },
    ...{ externalId: external_id, timeZone: time_zone, limits: limits && limitsMessage(limits) },
  };
}
