/** Mails to users, and the addresses that get none. For operators. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Mail as MailMessage, MailState } from '@payflowx/proto/notification';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { MailId, MailSuppressionId, PaymentId, pathId, UserId } from '../schemas/ids.ts';
import { named, nullable, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import {
  emptyAsNull,
  nullableText,
  nullableTime,
  nullableTimeJson,
  time,
  timeJson,
} from '../schemas/text.ts';
import { wireNames } from '../schemas/wire-names.ts';

const STATES = wireNames(
  '`pending` waits for an attempt; `skipped` was not sent on purpose. `reason` says why it failed or was skipped.',
  {
    [MailState.PENDING]: 'pending',
    [MailState.SENT]: 'sent',
    [MailState.FAILED]: 'failed',
    [MailState.SKIPPED]: 'skipped',
  },
);

const Mail = named(
  'Mail',
  Type.Object({
    id: ref(MailId),
    user_id: ref(UserId),
    kind: Type.String({
      description: '`payment`, `security`, `confirmation` or `webhook_endpoint`.',
      examples: ['payment'],
    }),
    subject_type: Type.String({
      description: 'The event or the change that it is about.',
      examples: ['payment.completed'],
    }),
    payment_id: nullable(PaymentId, 'The payment that it is about, or null.'),
    state: STATES.schema,
    reason: nullableText('Why it failed or was skipped: `ADDRESS_REFUSED`.'),
    attempts: Type.Integer({ examples: [1] }),
    last_error: nullableText('The last response or error of the mail server.'),
    address: nullableText('The address of the last attempt.'),
    message_id: nullableText('The header Message-ID, the same for each attempt.'),
    created_at: time('When its cause was recorded.'),
    sent_at: nullableTime('When the mail server accepted it; null if it did not.'),
  }),
);
const MailPage = pageOf('MailPage', Mail);

const MailSuppression = named(
  'MailSuppression',
  Type.Object({
    id: ref(MailSuppressionId),
    address: Type.String({ description: 'In lower case.', examples: ['alice@example.com'] }),
    response: Type.String({ examples: ['550 5.1.1 No such user'] }),
    mail_id: ref(MailId),
    created_at: time('When the mail server refused the address.'),
  }),
);
const MailSuppressionPage = pageOf('MailSuppressionPage', MailSuppression);

export const mailSchemas = [Mail, MailPage, MailSuppression, MailSuppressionPage];

interface Options {
  mails: Neighbours['mails'];
}

export const mailRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { mails }) => {
  app.get('/v1/mails', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['mails'],
      operationId: 'listMails',
      summary: 'List mails to users without their texts, newest first',
      querystring: query({
        ...pageQuery,
        user_id: Type.Optional(ref(UserId)),
        payment_id: Type.Optional(ref(PaymentId)),
        state: Type.Optional(STATES.schema),
      }),
      response: { 200: ref(MailPage) },
    },
    handler: async (request) => {
      const { user_id: userId = '', payment_id: paymentId = '', state } = request.query;
      const filter = { userId, paymentId, state: state ? STATES.numberOf(state) : MailState.UNSPECIFIED };
      const page = await mails.listMails({ ...pageRequest(request.query), ...filter }, asCaller(request));
      return pageJson(page.mails.map(mailJson), page.nextPageToken);
    },
  });

  app.get('/v1/mail-suppressions', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['mails'],
      operationId: 'listMailSuppressions',
      summary: 'List addresses that get no mails because a mail server refused them, newest first',
      querystring: query(pageQuery),
      response: { 200: ref(MailSuppressionPage) },
    },
    handler: async (request) => {
      const page = await mails.listMailSuppressions(pageRequest(request.query), asCaller(request));
      const rows = page.suppressions.map(({ id, address, response, mailId, createdAt }) => ({
        ...{ id, address, response, mail_id: mailId, created_at: timeJson(createdAt) },
      }));
      return pageJson(rows, page.nextPageToken);
    },
  });

  app.delete('/v1/mail-suppressions/:id', {
    config: { access: ['operator'] },
    schema: {
      tags: ['mails'],
      operationId: 'liftMailSuppression',
      summary: 'Let mails be sent to the address again',
      description: 'Mails that were skipped are not sent later.',
      params: pathId(ref(MailSuppressionId)),
      response: {
        204: Type.Null({ description: 'Lifted.' }),
        404: problem(['SUPPRESSION_NOT_FOUND']),
      },
    },
    handler: async (request, reply) => {
      await mails.liftMailSuppression({ suppressionId: request.params.id }, asCaller(request));
      return reply.code(204).send(null);
    },
  });
};

function mailJson(mail: MailMessage): Static<typeof Mail> {
  return {
    id: mail.id,
    user_id: mail.userId,
    kind: mail.kind,
    subject_type: mail.subjectType,
    payment_id: emptyAsNull(mail.paymentId),
    state: STATES.nameOf(mail.state),
    reason: emptyAsNull(mail.reason),
    attempts: mail.attempts,
    last_error: emptyAsNull(mail.lastError),
    address: emptyAsNull(mail.address),
    message_id: emptyAsNull(mail.messageId),
    created_at: timeJson(mail.createdAt),
    sent_at: nullableTimeJson(mail.sentAt),
  };
}
