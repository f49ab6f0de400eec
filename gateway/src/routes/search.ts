/** One search for operators: an id, a reference, a username or an amount. Each service decides what the caller may see. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { CallSettings } from '@payflowx/chassis';
import { CURRENCIES, exponentOf, isCurrency, toDecimal } from '@payflowx/proto/currency';
import { DEAD_LETTER_SOURCES, parseDeadLetterId } from '@payflowx/proto/dead-letters';
import { type ListPaymentsRequest, type Payment, PaymentKind, PaymentState } from '@payflowx/proto/payment';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { toProblem } from '../problems/problem.ts';
import { MAX_AMOUNT } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { query } from '../schemas/page.ts';
import { STATES } from '../schemas/payment.ts';
import { text } from '../schemas/text.ts';

const KINDS = ['payment', 'account', 'user', 'event', 'rule', 'reconciliation', 'transaction'] as const;
const MORE_KINDS = ['webhook_endpoint', 'webhook_delivery', 'dead_letter'] as const;
type Kind = (typeof KINDS)[number] | (typeof MORE_KINDS)[number];

const SearchHit = named(
  'SearchHit',
  Type.Object({
    kind: Type.Unsafe<Kind>({ type: 'string', enum: [...KINDS, ...MORE_KINDS], examples: ['payment'] }),
    id: Type.String({ examples: ['pay_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'] }),
    title: Type.String({
      description: 'One line for people.',
      examples: ['12.50 EUR, COMPLETED, order-4711'],
    }),
    url: Type.String({
      description: 'The path of the resource in this API.',
      examples: ['/v1/payments/pay_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
    }),
  }),
);
type Hit = Static<typeof SearchHit>;

const SearchResult = named(
  'SearchResult',
  Type.Object({ data: Type.Array(ref(SearchHit), { description: 'At most 50.' }) }),
);

export const searchSchemas = [SearchHit, SearchResult];

type Options = Pick<
  Neighbours,
  | 'payment'
  | 'authorization'
  | 'auth'
  | 'notification'
  | 'rules'
  | 'reconciliations'
  | 'ledger'
  | 'paymentDeadLetters'
  | 'notificationDeadLetters'
  | 'authDeadLetters'
>;

const MAX_HITS = 50;

const TEXT = {
  ...text(100, 'The text to search for: not only white space.', 'order-4711'),
  minLength: 1,
  pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$',
};

export const searchRoutes: FastifyPluginAsyncTypebox<Options> = async (app, neighbours) => {
  app.get('/v1/search', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['operations'],
      operationId: 'search',
      summary: 'Find something by its id, a payment by its reference or amount, a user by its name',
      description:
        'An amount is a decimal number, with or without a currency: `12.50`, `12.50 EUR`, `1250 JPY`. Without a currency, a whole number is also compared with minor units. References, names and ids must match completely. Of payments, the newest 20 of each match are found. A capture or a refund finds its payment. Users are found only by callers that may list them.',
      querystring: query({ q: TEXT }),
      response: { 200: ref(SearchResult) },
    },
    handler: async (request) => {
      const q = request.query.q.trim();
      const found = await Promise.all(searches(neighbours, q, asCaller(request)).map(unlessHidden));
      const hits = new Map(found.flat().map((hit) => [hit.id, hit]));
      return { data: [...hits.values()].slice(0, MAX_HITS) };
    },
  });
};

/** A resource that is absent, or that the caller may not see, is not found. Other errors are errors of the search. */
async function unlessHidden(search: Promise<Hit[]>): Promise<Hit[]> {
  try {
    return await search;
  } catch (error) {
    const { problem } = toProblem(error);
    if (problem === 'ROLE_NOT_ALLOWED' || problem.endsWith('NOT_FOUND')) return [];
    throw error;
  }
}

function searches(neighbours: Options, q: string, as: CallSettings): Promise<Hit[]>[] {
  const [, prefix] = /^([a-z]+)_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(q) ?? [];
  const byId = BY_PREFIX.get(prefix ?? '');
  if (byId) return [byId(neighbours, q, as)];
  return [
    ...amountsOf(q).map((filter) => findPayments(neighbours, filter, as)),
    findPayments(neighbours, { reference: q }, as),
    findUsers(neighbours, q, as),
  ];
}

type FindById = (neighbours: Options, id: string, as: CallSettings) => Promise<Hit[]>;

/** By the prefix of the id. Each throws if there is none. */
const FIND: Record<string, FindById> = {
  pay: findPayment,
  async cap(neighbours, captureId, as) {
    const { capture } = await neighbours.payment.getCapture({ captureId }, as);
    return capture ? findPayment(neighbours, capture.paymentId, as) : [];
  },
  async ref(neighbours, refundId, as) {
    const { refund } = await neighbours.payment.getRefund({ refundId }, as);
    return refund ? findPayment(neighbours, refund.paymentId, as) : [];
  },
  async acct({ authorization }, accountId, as) {
    const { account } = await authorization.getAccount({ accountId }, as);
    return account ? [hit('account', accountId, `${account.name || 'Account'} in ${account.currency}`)] : [];
  },
  async usr({ auth }, userId, as) {
    const { user } = await auth.getUser({ userId }, as);
    return user ? [hit('user', userId, user.username)] : [];
  },
  async evt({ notification }, eventId, as) {
    const { event } = await notification.getEvent({ eventId }, as);
    return event ? [hit('event', eventId, event.type)] : [];
  },
  async whe({ notification }, endpointId, as) {
    const { endpoint } = await notification.getWebhookEndpoint({ endpointId }, as);
    return endpoint ? [hit('webhook_endpoint', endpointId, endpoint.url)] : [];
  },
  async whd({ notification }, deliveryId, as) {
    const { delivery } = await notification.getWebhookDelivery({ deliveryId }, as);
    return delivery ? [hit('webhook_delivery', deliveryId, `Delivery of ${delivery.eventId}`)] : [];
  },
  async rule({ rules }, ruleId, as) {
    const { rule } = await rules.getRule({ ruleId }, as);
    return rule ? [hit('rule', ruleId, rule.name)] : [];
  },
  async rec({ reconciliations }, reconciliationId, as) {
    const { reconciliation } = await reconciliations.getReconciliation({ reconciliationId }, as);
    const title = reconciliation?.holds ? 'Reconciliation that holds' : 'Reconciliation with differences';
    return reconciliation ? [hit('reconciliation', reconciliationId, title)] : [];
  },
  async dl(neighbours, deadLetterId, as) {
    const source = parseDeadLetterId(deadLetterId)?.source;
    if (source === undefined) return [];
    const client = neighbours[`${DEAD_LETTER_SOURCES[source].service}DeadLetters`];
    const { deadLetter } = await client.getDeadLetter({ deadLetterId }, as);
    return deadLetter ? [hit('dead_letter', deadLetterId, `${deadLetter.eventType} in ${source}`)] : [];
  },
  async txn({ ledger }, transactionId, as) {
    const { transaction } = await ledger.getTransaction({ transactionId }, as);
    return transaction ? [hit('transaction', transactionId, `Transaction of ${transaction.paymentId}`)] : [];
  },
};

const BY_PREFIX = new Map(Object.entries(FIND));

const PATHS: Record<Kind, string> = {
  payment: '/v1/payments/',
  account: '/v1/accounts/',
  user: '/v1/users/',
  event: '/v1/events/',
  rule: '/v1/rules/',
  reconciliation: '/v1/ledger/reconciliations/',
  transaction: '/v1/ledger/transactions/',
  webhook_endpoint: '/v1/webhook-endpoints/',
  webhook_delivery: '/v1/webhook-deliveries/',
  dead_letter: '/v1/dead-letters/',
};

function hit(kind: Kind, id: string, title: string): Hit {
  return { kind, id, title, url: `${PATHS[kind]}${id}` };
}

function paymentHit({ id, amountMinor, currency, state, reference }: Payment): Hit {
  const facts = [`${toDecimal(amountMinor, currency)} ${currency}`, STATES.nameOf(state), reference];
  return hit('payment', id, facts.filter(Boolean).join(', '));
}

async function findPayment({ payment }: Options, paymentId: string, as: CallSettings): Promise<Hit[]> {
  const found = await payment.getPayment({ paymentId }, as);
  return found.payment ? [paymentHit(found.payment)] : [];
}

async function findUsers({ auth }: Options, username: string, as: CallSettings): Promise<Hit[]> {
  if (!/^[A-Za-z0-9._-]{3,64}$/.test(username)) return [];
  const { users } = await auth.listUsers({ pageSize: 1, pageToken: '', username }, as);
  return users.map((user) => hit('user', user.id, user.username));
}

type Filter = Partial<ListPaymentsRequest>;

const NO_FILTER: ListPaymentsRequest = {
  ...{ pageSize: 20, pageToken: '', accountId: '', state: PaymentState.UNSPECIFIED },
  ...{
    currency: '',
    reference: '',
    referencePrefix: '',
    mandateId: '',
    createdAfter: undefined,
    createdBefore: undefined,
  },
  ...{ updatedAfter: undefined, updatedBefore: undefined },
  ...{ amountMinMinor: undefined, amountMaxMinor: undefined, states: [], metadata: {} },
  ...{ kind: PaymentKind.UNSPECIFIED, fromAccount: '', toAccount: '', oldestFirst: false },
};

/** A page visits a limited number of payments, and few of them may match. So several pages are read. */
const MAX_PAGES = 5;

async function findPayments({ payment }: Options, filter: Filter, as: CallSettings): Promise<Hit[]> {
  const hits: Hit[] = [];
  let pageToken = '';
  for (let pages = 0; pages < MAX_PAGES && hits.length < NO_FILTER.pageSize; pages += 1) {
    const page = await payment.listPayments({ ...NO_FILTER, ...filter, pageToken }, as);
    hits.push(...page.payments.map(paymentHit));
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
  }
  return hits;
}

const DECIMAL = /^(\d{1,16})(?:\.(\d{1,4}))?(?:\s*([A-Za-z]{3}))?$/;
const EXPONENTS = [...new Set(CURRENCIES.map(({ exponent }) => exponent))];

/** The amounts that the text may mean, as filters of payments. */
function amountsOf(q: string): Filter[] {
  const [, whole = '', fraction = '', code = ''] = DECIMAL.exec(q) ?? [];
  const currency = code.toUpperCase();
  if (whole === '' || (currency !== '' && !isCurrency(currency))) return [];
  const exponents = currency === '' ? exponentsFor(fraction) : [exponentOf(currency)];
  const amounts = exponents
    .filter((exponent) => fraction.length <= exponent)
    .map((exponent) => BigInt(whole + fraction.padEnd(exponent, '0')));
  return [...new Set(amounts)]
    .filter((amount) => amount <= MAX_AMOUNT)
    .map((amount) => ({ currency, amountMinMinor: amount, amountMaxMinor: amount }));
}

/** Without a currency: as many decimals as given; a whole number has none or two, so that 1250 also finds EUR 1,250.00. */
function exponentsFor(fraction: string): number[] {
  if (fraction === '') return [0, 2];
  return EXPONENTS.filter((exponent) => exponent === Math.max(fraction.length, 2));
}
