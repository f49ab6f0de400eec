/**
 * The head of the sealed journal, and receipts of payments. Clients can keep both, and can verify a receipt with nothing but a
 * head.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type CallSettings, NeighbourError } from '@payflowx/chassis';
import { type Payment, PaymentState } from '@payflowx/proto/payment';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { ProblemError } from '../problems/problem.ts';
import { problem } from '../schemas/answers.ts';
import { PaymentId, pathId } from '../schemas/ids.ts';
import { hash, headJson, hex, SealedHead, Transaction, transactionJson } from '../schemas/journal.ts';
import { count } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { query } from '../schemas/page.ts';

const Receipt = named(
  'Receipt',
  Type.Object({
    payment_id: ref(PaymentId),
    head: ref(SealedHead),
    transactions: Type.Array(
      Type.Object({
        transaction: ref(Transaction),
        canonical: Type.String({
          pattern: '^([0-9a-f]{2})+$',
          description: 'The transaction’s canonical bytes, which were hashed, in lower-case hexadecimal.',
          examples: ['7b7d'],
        }),
        position: count('Index in the tree, from 0.'),
        path: Type.Array(hash('A hash of the audit path.'), {
          description: 'Audit path of RFC 6962, from the leaf to the root.',
        }),
      }),
      { description: 'All transactions of the payment up to the head, in sealed order.' },
    ),
  }),
);

export const receiptSchemas = [SealedHead, Receipt];

interface Options {
  ledger: Neighbours['ledger'];
  payment: Neighbours['payment'];
}

const hasReason = (error: unknown, reason: string) =>
  error instanceof NeighbourError && error.reason === reason;

/** A declined payment moved no money, so it never has a receipt. */
const mayBePosted = ({ state }: Payment) => state !== PaymentState.FAILED;

export const receiptRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { ledger, payment }) => {
  /** The ledger learns of a payment by its events, a moment after the payment service. */
  const notSealedYet = async (error: unknown, paymentId: string, settings: CallSettings): Promise<never> => {
    if (!hasReason(error, 'PAYMENT_NOT_FOUND')) throw error;
    const { payment: found } = await payment.getPayment({ paymentId }, settings).catch((cause) => {
      // An API client with the scope of the ledger may not have that of payments.
      throw hasReason(cause, 'INSUFFICIENT_SCOPE') ? error : cause;
    });
    if (!found || !mayBePosted(found)) throw error;
    throw new ProblemError('NOT_SEALED_YET', 'The payment will be sealed in a moment.');
  };

  app.get('/v1/ledger/head', {
    config: { access: EVERY_ROLE, scope: 'ledger:read' },
    schema: {
      tags: ['ledger'],
      operationId: 'getSealedHead',
      summary: 'Get the newest head of the sealed journal',
      response: { 200: ref(SealedHead), 404: problem(['NOTHING_SEALED']) },
    },
    handler: async (request) => {
      const { head } = await ledger.getSealedHead({}, asCaller(request));
      return headJson(head);
    },
  });

  app.get('/v1/ledger/payments/:id/receipt', {
    config: { access: EVERY_ROLE, scope: 'ledger:read' },
    schema: {
      tags: ['ledger'],
      operationId: 'getReceipt',
      summary: 'Get the proof that the journal contains a payment’s transactions; it can be verified offline',
      params: pathId(ref(PaymentId)),
      querystring: query({
        head_size: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: Number.MAX_SAFE_INTEGER,
            description:
              'The size of the head to prove against, for example one that you stored; the newest if absent.',
          }),
        ),
      }),
      response: {
        200: ref(Receipt),
        404: problem(['PAYMENT_NOT_FOUND']),
        409: problem(['NOT_SEALED_YET'], 'The payment was made a moment ago. Try again after Retry-After.'),
      },
    },
    handler: async (request) => {
      const { head_size } = request.query;
      const headSize = head_size === undefined ? undefined : BigInt(head_size);
      const message = { paymentId: request.params.id, headSize };
      const settings = asCaller(request);
      const { paymentId, head, transactions } = await ledger
        .getReceipt(message, settings)
        .catch((error) => notSealedYet(error, message.paymentId, settings));
      return {
        payment_id: paymentId,
        head: headJson(head),
        transactions: transactions.map(({ transaction, canonical, position, path }) => ({
          transaction: transactionJson(transaction),
          canonical: hex(canonical),
          position,
          path: path.map(hex),
        })),
      };
    },
  });
};
