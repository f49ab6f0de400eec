/** Returns the decision that a payment would get, without creating it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { Decision, decisionJson } from '../schemas/decision.ts';
import { ref } from '../schemas/named.ts';
import { createMessage, NewPayment } from '../schemas/new-payment.ts';

export const simulationSchemas = [Decision, NewPayment];

interface Options {
  payment: Neighbours['payment'];
}

export const simulationRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { payment }) => {
  app.post('/v1/payments/simulate', {
    config: { access: ['customer', 'operator'], scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'simulatePayment',
      summary: 'Get the decision that a payment would get now, with every check; writes nothing',
      description:
        'For the owner of `from_account` and for operators. With `mandate_id` also for the owner of `to_account`: then only the mandate is checked, so that nothing about the payer’s account is shown. The status is 200 also if the payment would be declined. Needs no Idempotency-Key.',
      body: ref(NewPayment),
      response: {
        200: ref(Decision),
        404: problem(['FROM_ACCOUNT_NOT_FOUND', 'MANDATE_NOT_FOUND']),
        422: problem(['SAME_ACCOUNT']),
      },
    },
    handler: async (request) => {
      const message = { payment: createMessage(request.body, '') };
      const { decision } = await payment.simulatePayment(message, asCaller(request));
      if (!decision) throw new Error('The response of the payment service has no decision.');
      return decisionJson(decision);
    },
  });
};
