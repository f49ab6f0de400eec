/** MailService: the mails, and the addresses that get none. */
import { type BoundService, bindService, type Logger, requireCaller } from '@payflowx/chassis';
import {
  type Mail as MailMessage,
  MailServiceService,
  MailState as MailStateMessage,
} from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { liftSuppression } from '../app/lift-suppression.ts';
import { listMails, listSuppressions } from '../app/list-mails.ts';
import { messageIdOf } from '../clients/mail-server.ts';
import { NotificationError } from '../domain/errors.ts';
import type { MailContent } from '../domain/mail-content.ts';
import type { Database, MailState } from '../store/database.ts';
import { mailAccess } from './access.ts';
import { errors } from './errors.ts';

export interface MailServiceDeps {
  db: Kysely<Database>;
  /** Empty if no mails are sent. */
  fromAddress: string;
  log: Logger;
}

export function mailService(deps: MailServiceDeps): BoundService {
  return bindService(MailServiceService, {
    access: mailAccess,
    errors,
    handlers: {
      async listMails({ userId, paymentId, state, ...page }) {
        const filter = {
          userId: userId || undefined,
          paymentId: paymentId || undefined,
          state: stateOf(state),
        };
        const { rows, nextPageToken } = await listMails(deps, { ...page, ...filter });
        return { mails: rows.map((mail) => toMailMessage(mail, deps.fromAddress)), nextPageToken };
      },
      async listMailSuppressions(page) {
        const { rows, nextPageToken } = await listSuppressions(deps, page);
        const suppressions = rows.map(({ id, address, response, mail_id, created_at }) => ({
          ...{ id, address, response, mailId: mail_id, createdAt: created_at },
        }));
        return { suppressions, nextPageToken };
      },
      async liftMailSuppression({ suppressionId }, call) {
        await liftSuppression(deps, { suppressionId, callerId: requireCaller(call).id });
        return {};
      },
    },
  });
}

const STATES: Record<MailState, MailStateMessage> = {
  pending: MailStateMessage.PENDING,
  sent: MailStateMessage.SENT,
  failed: MailStateMessage.FAILED,
  skipped: MailStateMessage.SKIPPED,
};

/** Undefined for any state. Throws INVALID_ARGUMENT for an unknown number. */
function stateOf(message: MailStateMessage): MailState | undefined {
  if (message === MailStateMessage.UNSPECIFIED) return undefined;
  const found = Object.entries(STATES).find(([, each]) => each === message);
  if (found) return found[0] as MailState;
  const violation = { field: 'state', description: 'must be a state of mails' };
  throw new NotificationError('INVALID_ARGUMENT', 'The state is unknown.', { violations: [violation] });
}

type Mail = Awaited<ReturnType<typeof listMails>>['rows'][number];

function toMailMessage(mail: Mail, fromAddress: string): MailMessage {
  return {
    id: mail.id,
    userId: mail.user_id,
    kind: mail.content.kind,
    subjectType: subjectTypeOf(mail.content),
    paymentId: mail.payment_id ?? '',
    state: STATES[mail.state],
    reason: mail.reason ?? '',
    attempts: mail.attempts,
    lastError: mail.last_error ?? '',
    address: mail.address ?? '',
    messageId: fromAddress === '' ? '' : messageIdOf(mail.id, fromAddress),
    createdAt: mail.created_at,
    sentAt: mail.sent_at ?? undefined,
  };
}

function subjectTypeOf(content: MailContent): string {
  switch (content.kind) {
    case 'payment':
      return content.eventType;
    case 'security':
      return content.change;
    case 'confirmation':
      return 'email_confirmation';
    case 'webhook_endpoint':
      return 'webhook_endpoint.disabled';
  }
}
