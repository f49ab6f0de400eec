/** Messages that were given up. Each service lists those of its own sources, and this file joins the lists. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  type DeadLetterAuditRecord as AuditRecordMessage,
  DEAD_LETTER_SOURCES,
  type DeadLetter as DeadLetterMessage,
  DeadLetterReason,
  type DeadLetterSourceName,
  parseDeadLetterId,
} from '@payflowx/proto/dead-letters';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { ProblemError } from '../problems/problem.ts';
import { problem } from '../schemas/answers.ts';
import { DeadLetterSourceSchema } from '../schemas/dead-letter-source.ts';
import { DeadLetterId, pathId, UserId } from '../schemas/ids.ts';
import { count } from '../schemas/money.ts';
import { named, nullable, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { pageOf, pageQuery, query } from '../schemas/page.ts';
import { emptyAsNull, nullableText, texts, time, timeJson } from '../schemas/text.ts';
import { wireNames } from '../schemas/wire-names.ts';

const REASONS = wireNames(
  '`UNDECODABLE`: its consumer cannot decode it. `REJECTED`: its consumer cannot apply it. `DELIVERY_LIMIT`: it was delivered too often without an acknowledgement. `REFUSED`: its broker refuses it. `UNKNOWN`: it does not say.',
  {
    [DeadLetterReason.UNSPECIFIED]: 'UNKNOWN',
    [DeadLetterReason.UNDECODABLE]: 'UNDECODABLE',
    [DeadLetterReason.REJECTED]: 'REJECTED',
    [DeadLetterReason.DELIVERY_LIMIT]: 'DELIVERY_LIMIT',
    [DeadLetterReason.REFUSED]: 'REFUSED',
  },
);

const FILTERED = ['UNDECODABLE', 'REJECTED', 'DELIVERY_LIMIT', 'REFUSED'] as const;
const Reason = Type.Unsafe<(typeof FILTERED)[number]>({
  type: 'string',
  enum: FILTERED,
  description: 'Only for this reason.',
});

const summary = {
  id: ref(DeadLetterId),
  source: DeadLetterSourceSchema,
  reason: REASONS.schema,
  error: nullableText('The error in one line.'),
  event_id: nullableText('The id of the event; null if the message is no event.'),
  event_type: nullableText('The type of the event; null if the message is no event.'),
  key: nullableText('The key of the message: the id of a payment or of a user.'),
  failed_at: time('When it was given up.'),
  payload_size: count('Size of the payload in bytes.'),
};

const DeadLetterSummary = named('DeadLetterSummary', Type.Object(summary));
const DeadLetterPage = pageOf('DeadLetterPage', DeadLetterSummary);
const DeadLetter = named(
  'DeadLetter',
  Type.Object({
    ...summary,
    headers: texts('The headers of the message, with those about its failure.'),
    payload: Type.Unsafe<Record<string, unknown> | null>({
      type: ['object', 'null'],
      additionalProperties: true,
      description: 'The decoded payload; null if it cannot be decoded.',
    }),
    payload_base64: Type.String({ description: 'The payload in base64, at most its first 64 KiB.' }),
  }),
);

const RedriveFilters = named(
  'RedriveFilters',
  Type.Object(
    { source: Type.Optional(DeadLetterSourceSchema), reason: Type.Optional(Reason) },
    { additionalProperties: false, description: 'Absent fields match all dead letters.' },
  ),
);

const Redriven = named(
  'Redriven',
  Type.Object({
    redriven: count(
      'Number of dead letters that were sent back. A source with more than 1,000 needs another request.',
    ),
  }),
);

const DeadLetterAuditRecord = named(
  'DeadLetterAuditRecord',
  Type.Object({
    id: Type.String({ examples: ['aud_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'] }),
    actor_id: ref(UserId),
    action: Type.String({ enum: ['dead_letters.redriven'], description: 'The action.' }),
    dead_letter_id: nullable(DeadLetterId, 'The dead letter; null for all that match the filters.'),
    source: nullableText('The filter by source, if there was one.'),
    reason: nullableText('The filter by reason, if there was one.'),
    redriven: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: 'How many were sent back; null if the request failed before it knew.',
    }),
    trace_id: nullableText('The trace of the request. Its caller may choose it.'),
    call_id: nullableText('The platform’s own id of the call.'),
    created_at: time('When it was requested.'),
  }),
);
const DeadLetterAuditPage = pageOf('DeadLetterAuditPage', DeadLetterAuditRecord);

export const deadLetterSchemas = [
  ...[DeadLetterSummary, DeadLetterPage, DeadLetter, RedriveFilters, Redriven],
  ...[DeadLetterAuditRecord, DeadLetterAuditPage],
];

/** A redrive publishes up to a thousand messages of each source, one after the other. */
const REDRIVE_DEADLINE_MS = 60_000;

type Options = Pick<Neighbours, 'paymentDeadLetters' | 'notificationDeadLetters' | 'authDeadLetters'>;

export const deadLetterRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const owners = [
    { service: 'payment', client: options.paymentDeadLetters },
    { service: 'notification', client: options.notificationDeadLetters },
    { service: 'auth', client: options.authDeadLetters },
  ];
  const ownersOf = (source: DeadLetterSourceName | undefined) =>
    source === undefined
      ? owners
      : owners.filter(({ service }) => service === DEAD_LETTER_SOURCES[source].service);
  const ownerOfId = (id: string) => {
    const source = parseDeadLetterId(id)?.source;
    const [owner] = source === undefined ? [] : ownersOf(source);
    if (!owner) throw new ProblemError('DEAD_LETTER_NOT_FOUND', 'No dead letter has this id.');
    return owner.client;
  };

  app.get('/v1/dead-letters', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['operations'],
      operationId: 'listDeadLetters',
      summary: 'List messages that were given up, service by service, newest first',
      description:
        'Of a queue, only the oldest 1,000 are listed. If a broker is unavailable, its sources cannot be listed; others can, by `source`.',
      querystring: query({
        ...pageQuery,
        source: Type.Optional(DeadLetterSourceSchema),
        reason: Type.Optional(Reason),
      }),
      response: { 200: ref(DeadLetterPage) },
    },
    handler: async (request) => {
      const { source, reason, limit, cursor } = request.query;
      const filters = { source: source ?? '', reason: numberOf(reason) };
      const read = async ({ client }: (typeof owners)[number], page: PageRequest) => {
        const found = await client.listDeadLetters({ ...page, ...filters }, asCaller(request));
        return { rows: found.deadLetters.map(summaryJson), nextPageToken: found.nextPageToken };
      };
      return joinedPage(ownersOf(source), { limit, cursor }, read);
    },
  });

  app.get('/v1/dead-letters/:id', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['operations'],
      operationId: 'getDeadLetter',
      summary: 'Get a dead letter with its headers and its payload',
      params: pathId(ref(DeadLetterId)),
      response: { 200: ref(DeadLetter), 404: problem(['DEAD_LETTER_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { id } = request.params;
      const { deadLetter } = await ownerOfId(id).getDeadLetter({ deadLetterId: id }, asCaller(request));
      if (!deadLetter) throw new Error('The response has no dead letter.');
      return deadLetterJson(deadLetter);
    },
  });

  app.post('/v1/dead-letters/:id/redrive', {
    config: { access: ['operator'], optionalBody: true, deadlineMs: REDRIVE_DEADLINE_MS },
    schema: {
      tags: ['operations'],
      operationId: 'redriveDeadLetter',
      summary: 'Send a dead letter back in its original form, after its cause is fixed',
      description: 'Safe to repeat: consumers skip events that they have already applied.',
      params: pathId(ref(DeadLetterId)),
      body: ref(NoFields),
      response: { 200: ref(Redriven), 404: problem(['DEAD_LETTER_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { id } = request.params;
      const message = { deadLetterId: id, source: '', reason: DeadLetterReason.UNSPECIFIED };
      const { redrivenCount } = await ownerOfId(id).redriveDeadLetters(message, asCaller(request));
      return { redriven: BigInt(redrivenCount) };
    },
  });

  app.post('/v1/dead-letters/redrive', {
    config: { access: ['operator'], optionalBody: true, deadlineMs: REDRIVE_DEADLINE_MS },
    schema: {
      tags: ['operations'],
      operationId: 'redriveDeadLetters',
      summary: 'Send all dead letters back that match the filters, oldest first',
      description: 'After an error, some may have been sent back. Safe to repeat.',
      body: ref(RedriveFilters),
      response: { 200: ref(Redriven) },
    },
    handler: async (request) => {
      const { source, reason } = request.body;
      const message = { deadLetterId: '', source: source ?? '', reason: numberOf(reason) };
      let redriven = 0;
      for (const { client } of ownersOf(source)) {
        const { redrivenCount } = await client.redriveDeadLetters(message, asCaller(request));
        redriven += redrivenCount;
      }
      return { redriven: BigInt(redriven) };
    },
  });

  app.get('/v1/audit/dead-letters', {
    config: { access: ['operator', 'auditor'], scope: 'audit:read' },
    schema: {
      tags: ['audit'],
      operationId: 'listDeadLetterAudit',
      summary: 'List who sent dead letters back, service by service, newest first',
      querystring: query({ ...pageQuery, actor_id: Type.Optional(ref(UserId)) }),
      response: { 200: ref(DeadLetterAuditPage) },
    },
    handler: async (request) => {
      const { actor_id = '', limit, cursor } = request.query;
      const read = async ({ client }: (typeof owners)[number], page: PageRequest) => {
        const message = { ...page, actorId: actor_id };
        const found = await client.listDeadLetterAuditRecords(message, asCaller(request));
        return { rows: found.records.map(auditJson), nextPageToken: found.nextPageToken };
      };
      return joinedPage(owners, { limit, cursor }, read);
    },
  });
};

interface PageRequest {
  pageSize: number;
  pageToken: string;
}

/**
 * Joins the lists of several services, one after the other. A cursor is the service to continue with, and that service's own page
 * token, which is empty at the start of its list.
 */
async function joinedPage<Owner extends { service: string }, Row>(
  owners: readonly Owner[],
  { limit = 20, cursor }: { limit?: number | undefined; cursor?: string | undefined },
  read: (owner: Owner, page: PageRequest) => Promise<{ rows: Row[]; nextPageToken: string }>,
): Promise<{ data: Row[]; next_cursor: string | null }> {
  const [service, ...rest] = cursor?.split('~') ?? [owners[0]?.service, ''];
  let pageToken = rest.join('~');
  const start = owners.findIndex((owner) => owner.service === service);
  if (start < 0) throw new ProblemError('INVALID_CURSOR', 'The cursor is not one of this list.');
  const data: Row[] = [];
  for (const owner of owners.slice(start)) {
    if (data.length === limit) return { data, next_cursor: `${owner.service}~` };
    const page = await read(owner, { pageSize: limit - data.length, pageToken });
    data.push(...page.rows);
    if (page.nextPageToken !== '') return { data, next_cursor: `${owner.service}~${page.nextPageToken}` };
    pageToken = '';
  }
  return { data, next_cursor: null };
}

function numberOf(reason: (typeof FILTERED)[number] | undefined): DeadLetterReason {
  return reason === undefined ? DeadLetterReason.UNSPECIFIED : REASONS.numberOf(reason);
}

function summaryJson(letter: DeadLetterMessage): Static<typeof DeadLetterSummary> {
  return {
    id: letter.id,
    source: letter.source as DeadLetterSourceName,
    reason: REASONS.nameOf(letter.reason),
    error: emptyAsNull(letter.error),
    event_id: emptyAsNull(letter.eventId),
    event_type: emptyAsNull(letter.eventType),
    key: emptyAsNull(letter.key),
    failed_at: timeJson(letter.failedAt),
    payload_size: letter.payloadSize,
  };
}

function deadLetterJson(letter: DeadLetterMessage): Static<typeof DeadLetter> {
  return {
    ...summaryJson(letter),
    headers: letter.headers,
    payload: letter.payloadJson === '' ? null : JSON.parse(letter.payloadJson),
    payload_base64: Buffer.from(letter.payload).toString('base64'),
  };
}

function auditJson(record: AuditRecordMessage): Static<typeof DeadLetterAuditRecord> {
  const reason = REASONS.nameOf(record.reason);
  return {
    id: record.id,
    actor_id: record.actorId,
    action: 'dead_letters.redriven',
    dead_letter_id: emptyAsNull(record.deadLetterId),
    source: emptyAsNull(record.source),
    reason: reason === 'UNKNOWN' ? null : reason,
    redriven: record.redrivenCount ?? null,
    trace_id: emptyAsNull(record.traceId),
    call_id: emptyAsNull(record.callId),
    created_at: timeJson(record.createdAt),
  };
}
