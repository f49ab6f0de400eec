/** Makes one attempt to send a mail. It stores nothing: the caller stores the result together with the end of the job. */
import type { Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Accounts } from '../clients/accounts.ts';
import type { Confirmations } from '../clients/confirmations.ts';
import type { MailServer } from '../clients/mail-server.ts';
import {
  composeConfirmationMail,
  composeEndpointMail,
  composePaymentMail,
  composeSecurityMail,
} from '../domain/compose-mail.ts';
import type { ConfirmationContent } from '../domain/mail-content.ts';
import type { Attempt } from '../domain/mail-delivery.ts';
import type { RenderedMail } from '../domain/mail-letter.ts';
import { findRecipient } from '../store/contacts.ts';
import type { Database } from '../store/database.ts';
import { isSuppressed } from '../store/mail-suppressions.ts';
import type { Mail } from '../store/mails.ts';

export interface SendMailDeps {
  db: Kysely<Database>;
  server: MailServer;
  accounts: Pick<Accounts, 'timeZoneOf'>;
  confirmations: Pick<Confirmations, 'find'>;
  /** The address of the gateway for people, without a slash at its end. */
  publicUrl: string;
  log: Logger;
}

interface Addressed extends RenderedMail {
  to: string;
}

/** Never rejects. `address` is null if the mail has none. */
export async function attemptMail(
  deps: SendMailDeps,
  mail: Mail,
): Promise<{ attempt: Attempt; address: string | null }> {
  try {
    const prepared = await prepare(deps, mail);
    if ('result' in prepared) return { attempt: prepared, address: mail.address };
    if (await isSuppressed(deps.db, prepared.to)) {
      return { attempt: { result: 'not sent', reason: 'ADDRESS_SUPPRESSED' }, address: prepared.to };
    }
    return { attempt: await deps.server.send({ ...prepared, id: mail.id }), address: prepared.to };
  } catch (error) {
    deps.log.warn({ err: error, mailId: mail.id }, 'a mail cannot be prepared at the moment; retrying');
    const problem = 'The database, auth or authorization is unavailable.';
    return { attempt: { result: 'unavailable', error: problem }, address: mail.address };
  }
}

async function prepare(deps: SendMailDeps, mail: Mail): Promise<Addressed | Attempt> {
  const { content } = mail;
  if (content.kind === 'confirmation') return prepareConfirmation(deps, content);
  // The address may have changed since the event.
  const isFixed = content.kind === 'security' && content.change === 'address_changed';
  const to = isFixed ? mail.address : (await findRecipient(deps.db, mail.user_id)).confirmedEmail;
  if (to === null) return { result: 'not sent', reason: 'NO_CONFIRMED_ADDRESS' };
  if (content.kind === 'security') return { to, ...composeSecurityMail(content) };
  if (content.kind === 'webhook_endpoint') return { to, ...composeEndpointMail(content) };
  return { to, ...composePaymentMail(content, await deps.accounts.timeZoneOf(content.accountId)) };
}

/** The token is in the fragment of the URL, which browsers send to no server, so that it is in no log. */
async function prepareConfirmation(
  { confirmations, publicUrl }: SendMailDeps,
  content: ConfirmationContent,
): Promise<Addressed | Attempt> {
  const found = await confirmations.find(content.confirmationId);
  if (!found) return { result: 'not sent', reason: 'CONFIRMATION_SUPERSEDED' };
  const url = `${publicUrl}/confirm-email#token=${encodeURIComponent(found.token)}`;
  return { to: found.email, ...composeConfirmationMail(content, url) };
}
