/** Compares the figures of every account between the services. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Reconciliation as ReconciliationMessage } from '@payflowx/proto/ledger';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { AnyAccountId, pathId, ReconciliationId } from '../schemas/ids.ts';
import { count } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { emptyAsNull, nullableText, time, timeJson } from '../schemas/text.ts';

const summary = {
  id: ref(ReconciliationId),
  holds: Type.Boolean({ description: 'Whether nothing differs.' }),
  started_at: time('When it began.'),
  finished_at: time('When it ended.'),
  account_count: count('Accounts that were compared.'),
  difference_count: count('How many figures differ in all.'),
  unsettled_count: count(
    'Accounts whose figures did not agree but never stood still either: neither found right nor wrong.',
  ),
  requested_by: nullableText('Who asked for it; null: the schedule.'),
};

const Difference = Type.Object({
  account_id: ref(AnyAccountId),
  currency: nullableText('ISO 4217; null for counts.'),
  figure: Type.String({
    description: 'What is compared: `posted`, `held`, `sent`, `received` or `notifications`.',
    examples: ['posted'],
  }),
  expected_by: Type.String({ description: 'Whose figure is taken as right.', examples: ['authorization'] }),
  expected: count('That figure: minor units, or a count.'),
  found_by: Type.String({ description: 'Whose figure differs.', examples: ['ledger'] }),
  found: count('That figure: minor units, or a count.'),
});

const ReconciliationSummary = named('ReconciliationSummary', Type.Object(summary));
const ReconciliationPage = pageOf('ReconciliationPage', ReconciliationSummary);
const Reconciliation = named(
  'Reconciliation',
  Type.Object({
    ...summary,
    differences: Type.Array(Difference, { description: 'What differs; at most 100 are listed.' }),
  }),
);

export const reconciliationSchemas = [ReconciliationSummary, ReconciliationPage, Reconciliation];

/** A run reads every account of every service, and twice if figures differ. */
const RUN_DEADLINE_MS = 60_000;

interface Options {
  reconciliations: Neighbours['reconciliations'];
}

export const reconciliationRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { reconciliations }) => {
  app.post('/v1/ledger/reconciliations', {
    config: { access: ['operator'], optionalBody: true, deadlineMs: RUN_DEADLINE_MS },
    schema: {
      tags: ['ledger'],
      operationId: 'runReconciliation',
      summary: 'Compare every account’s figures between the services now; the report is kept',
      body: ref(NoFields),
      response: { 201: ref(Reconciliation), 409: problem(['RECONCILIATION_RUNNING']) },
    },
    handler: async (request, reply) => {
      const { reconciliation } = await reconciliations.runReconciliation({}, asCaller(request));
      const body = reconciliationJson(reconciliation);
      return reply.code(201).header('location', `/v1/ledger/reconciliations/${body.id}`).send(body);
    },
  });

  app.get('/v1/ledger/reconciliations', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['ledger'],
      operationId: 'listReconciliations',
      summary: 'List reconciliations without their differences, newest first',
      querystring: query(pageQuery),
      response: { 200: ref(ReconciliationPage) },
    },
    handler: async (request) => {
      const page = await reconciliations.listReconciliations(pageRequest(request.query), asCaller(request));
      return pageJson(page.reconciliations.map(summaryJson), page.nextPageToken);
    },
  });

  app.get('/v1/ledger/reconciliations/:id', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['ledger'],
      operationId: 'getReconciliation',
      summary: 'One reconciliation with its differences',
      params: pathId(ref(ReconciliationId)),
      response: { 200: ref(Reconciliation), 404: problem(['RECONCILIATION_NOT_FOUND']) },
    },
    handler: async (request) => {
      const message = { reconciliationId: request.params.id };
      const { reconciliation } = await reconciliations.getReconciliation(message, asCaller(request));
      return reconciliationJson(reconciliation);
    },
  });
};

function summaryJson(reconciliation: ReconciliationMessage): Static<typeof ReconciliationSummary> {
  return {
    id: reconciliation.id,
    holds: reconciliation.holds,
    started_at: timeJson(reconciliation.startedAt),
    finished_at: timeJson(reconciliation.finishedAt),
    account_count: reconciliation.accountCount,
    difference_count: reconciliation.differenceCount,
    unsettled_count: reconciliation.unsettledCount,
    requested_by: emptyAsNull(reconciliation.requestedBy),
  };
}

function reconciliationJson(
  reconciliation: ReconciliationMessage | undefined,
): Static<typeof Reconciliation> {
  if (!reconciliation) throw new Error('The ledger answered without a reconciliation.');
  const differences = reconciliation.differences.map((difference) => ({
    account_id: difference.accountId,
    currency: emptyAsNull(difference.currency),
    figure: difference.figure,
    expected_by: difference.expectedBy,
    expected: difference.expected,
    found_by: difference.foundBy,
    found: difference.found,
  }));
  return { ...summaryJson(reconciliation), differences };
}
