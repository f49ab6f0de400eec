/** How far each stage of the events is behind, how many messages were given up, and the last proof. Live figures for operators. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { DeadLetterSourceName } from '@payflowx/proto/dead-letters';
import type { ProofSummary } from '@payflowx/proto/ledger';
import type { GetPipelineResponse } from '@payflowx/proto/pipeline';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { unlessSilent } from '../clients/unless-silent.ts';
import { DeadLetterSourceSchema } from '../schemas/dead-letter-source.ts';
import { count } from '../schemas/money.ts';
import { named, nullable, ref } from '../schemas/named.ts';
import { PROOF_VERDICTS } from '../schemas/proof-verdict.ts';
import { time, timeJson } from '../schemas/text.ts';

const SERVICES = ['payment', 'auth', 'ledger', 'notification', 'analytics'] as const;
type Service = (typeof SERVICES)[number];
const ServiceName = Type.Unsafe<Service>({ type: 'string', enum: SERVICES, examples: ['ledger'] });

const nullableCount = (description: string) =>
  Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 0, description });

const Stage = Type.Object({
  service: ServiceName,
  activity: Type.Unsafe<'publish' | 'consume'>({
    type: 'string',
    enum: ['publish', 'consume'],
    description:
      '`publish`: events leave the outbox of the service. `consume`: the service applies messages.',
  }),
  source: Type.String({ description: 'The topic or the queue.', examples: ['payment-events'] }),
  waiting: nullableCount('Events or messages that wait. Null if the broker does not answer.'),
  oldest_age_ms: nullableCount(
    'The age of the oldest of them, or a lower bound of it; 0 if none waits. Null if the broker does not answer.',
  ),
});

const LastProof = named(
  'LastProof',
  Type.Object({
    verdict: PROOF_VERDICTS.schema,
    difference_count: count('Accounts that differed.'),
    account_count: count('Accounts that were compared.'),
    transaction_count: count('Transactions in the journal.'),
    proved_at: time('When the proof was made.'),
  }),
);

const Pipeline = named(
  'Pipeline',
  Type.Object({
    stages: Type.Array(Stage),
    dead_letters: Type.Array(
      Type.Object({
        source: DeadLetterSourceSchema,
        count: nullableCount('Their number. Null if the broker does not answer.'),
      }),
    ),
    last_proof: nullable(LastProof, 'The newest proof of the ledger; null before the first.'),
    incomplete: Type.Array(ServiceName, {
      description: 'Services that did not answer. Their stages, dead letters and proof are missing.',
    }),
  }),
);

export const pipelineSchemas = [LastProof, Pipeline];

type Options = Pick<Neighbours, 'ledger' | `${Service}Pipeline`>;

const WITHOUT = 'pipeline without a service';

/** The figures are of now or worthless: a service that is slow counts as silent. */
const ANSWER_MS = 4_000;

export const pipelineRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  app.get('/v1/pipeline', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['operations'],
      operationId: 'getPipeline',
      summary:
        'Show how far each stage of the events is behind, the number of dead letters, and the last proof',
      response: { 200: ref(Pipeline) },
    },
    handler: async (request) => {
      const call = { ...asCaller(request), deadline: soon(request.deadline) };
      const [last, ...found] = await Promise.all([
        unlessSilent(options.ledger.getLastProof({}, call), request, WITHOUT),
        ...SERVICES.map(async (service) => ({
          service,
          pipeline: await unlessSilent(options[`${service}Pipeline`].getPipeline({}, call), request, WITHOUT),
        })),
      ]);
      return pipelineJson(last, found);
    },
  });
};

function soon(deadline: Date): Date {
  return new Date(Math.min(deadline.getTime(), Date.now() + ANSWER_MS));
}

function pipelineJson(
  last: { proof?: ProofSummary | undefined } | undefined,
  found: { service: Service; pipeline: GetPipelineResponse | undefined }[],
): Static<typeof Pipeline> {
  const silent = new Set(found.filter(({ pipeline }) => !pipeline).map(({ service }) => service));
  if (!last) silent.add('ledger');
  return {
    stages: found.flatMap(({ service, pipeline }) =>
      (pipeline?.stages ?? []).map(({ activity, source, waitingCount, oldestAgeMs }) => ({
        ...{ service, activity: activity as 'publish' | 'consume', source },
        waiting: numberOrNull(waitingCount),
        oldest_age_ms: numberOrNull(oldestAgeMs),
      })),
    ),
    dead_letters: found.flatMap(({ pipeline }) =>
      (pipeline?.deadLetters ?? []).map(({ source, count: number }) => ({
        source: source as DeadLetterSourceName,
        count: numberOrNull(number),
      })),
    ),
    last_proof: last?.proof ? proofJson(last.proof) : null,
    incomplete: [...silent],
  };
}

const numberOrNull = (value: bigint | undefined) => (value === undefined ? null : Number(value));

function proofJson(proof: ProofSummary): Static<typeof LastProof> {
  return {
    verdict: PROOF_VERDICTS.nameOf(proof.verdict),
    difference_count: proof.differenceCount,
    account_count: proof.accountCount,
    transaction_count: proof.transactionCount,
    proved_at: timeJson(proof.provedAt),
  };
}
