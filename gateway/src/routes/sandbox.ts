/** The test clock of the sandbox. These routes exist only with SANDBOX=on. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { AccountId, pathId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';

/** 365 days. */
const MAX_ADVANCE_S = 31_536_000;

const Advance = named(
  'TestClockAdvance',
  Type.Object(
    {
      seconds: Type.Integer({
        minimum: 1,
        maximum: MAX_ADVANCE_S,
        description: 'Seconds to go forward, at most 3,650 days in all. There is no way back.',
        examples: [86_400],
      }),
    },
    { additionalProperties: false },
  ),
);

const TestClock = named(
  'TestClock',
  Type.Object({
    account_id: ref(AccountId),
    advanced_seconds: Type.Integer({
      description: 'The seconds of all requests for this account so far.',
      examples: [86_400],
    }),
    moved_holds: Type.Integer({
      description: 'The open holds of this account that end earlier now.',
      examples: [1],
    }),
  }),
);

export const sandboxSchemas = [Advance, TestClock];

interface Options {
  sandbox: boolean;
  paymentSandbox: Neighbours['paymentSandbox'];
}

export const sandboxRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { sandbox, paymentSandbox }) => {
  if (!sandbox) return;
  app.post('/v1/sandbox/accounts/:id/advance', {
    config: { access: ['customer', 'operator'], scope: 'payments:write' },
    schema: {
      tags: ['sandbox'],
      operationId: 'advanceTestClock',
      summary: 'Act as if time had passed for one account: its holds end earlier, and its limits begin again',
      description:
        'For the owner of the account and for operators. The holds that the account pays for end so many seconds earlier, and those that are then over expire as real ones do, within seconds. The windows of its limits move back by the days and months that begin. Balances, entries of the ledger and their times do not change. Only where the sandbox is on; elsewhere 404.',
      params: pathId(ref(AccountId)),
      headers: requiredKey,
      body: ref(Advance),
      response: {
        200: ref(TestClock),
        404: problem(['ACCOUNT_NOT_FOUND']),
        409: problem(['IDEMPOTENCY_IN_PROGRESS', 'TOO_MANY_HOLDS']),
        422: problem(['IDEMPOTENCY_KEY_REUSED']),
      },
    },
    handler: async (request, reply) => {
      const accountId = request.params.id;
      const message = {
        accountId,
        requestId: request.headers['idempotency-key'],
        seconds: request.body.seconds,
      };
      const { movedHolds, advancedSeconds, replayed } = await paymentSandbox.advanceTestClock(
        message,
        asCaller(request),
      );
      if (replayed) reply.header('idempotent-replayed', 'true');
      return {
        account_id: accountId,
        advanced_seconds: Number(advancedSeconds),
        moved_holds: movedHolds,
      };
    },
  });
};
