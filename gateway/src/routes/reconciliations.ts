/** Compares the figures of every account between the services. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sumOf } from '@payflowx/chassis';
import type { Reconciliation as ReconciliationMessage } from '@payflowx/proto/ledger';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { AnyAccountId, pathId, ReconciliationId } from '../schemas/ids.ts';
import { count, minorSum } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { emptyAsNull, nullableText, time, timeJson } from '../schemas/text.ts';

const summary = {
  id: ref(ReconciliationId),
  holds: Type.Boolean({ description: 'True if no figure differs.' }),
  started_at: time('When it began.'),
  finished_at: time('When it ended.'),
  account_count: count('Accounts that were compared.'),
  difference_count: count('Number of figures that differ.'),
  unsettled_count: count(
    'Accounts with figures that differed but kept changing, so that the comparison has no result.',
  ),
  requested_by: nullableText('The user who requested it; null if it was scheduled.'),
};

const Difference = Type.Object({
  account_id: ref(AnyAccountId),
  currency: nullableText('ISO 4217; null for counts.'),
  figure: Type.String({
    description:
      'The compared figure: `posted`, `held`, `sent`, `received` or `notifications`. Or the number of records that notification lacks: `missing_events`, `missing_deliveries` or `missing_mails`.',
    examples: ['posted'],
  }),
  expected_by: Type.String({
    description: 'The service with the figure that counts as right.',
    examples: ['authorization'],
  }),
  expected: minorSum('The right figure, or a count.'),
  found_by: Type.String({ description: 'The service with a different figure.', examples: ['ledger'] }),
  found: minorSum('The different figure, or a count.'),
});

const ReconciliationSummary = named('ReconciliationSummary', Type.Object(summary));
const ReconciliationPage = pageOf('ReconciliationPage', ReconciliationSummary);
const Reconciliation = named(
  'Reconciliation',
  Type.Object({
    ...summary,
    differences: Type.Array(Difference, { description: 'The figures that differ; at most 100 are listed.' }),
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
      summary: 'Compare the figures of every account between the services now, and store the report',
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
    config: { access: ['operator', 'auditor'], scope: 'ledger:read' },
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
    config: { access: ['operator', 'auditor'], scope: 'ledger:read' },
    schema: {
      tags: ['ledger'],
      operationId: 'getReconciliation',
      summary: 'Get a reconciliation with its differences',
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
  if (!reconciliation) throw new Error('The response of the ledger has no reconciliation.');
  const differences = reconciliation.differences.map((difference) => ({
    account_id: difference.accountId,
    currency: emptyAsNull(difference.currency),
    figure: difference.figure,
    expected_by: difference.expectedBy,
    expected: sumOf(difference.expectedSum, difference.expected).toString(),
    found_by: difference.foundBy,
    found: sumOf(difference.foundSum, difference.found).toString(),
  }));
  return { ...summaryJson(reconciliation), differences };
}
