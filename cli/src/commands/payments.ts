/** Payments: list, watch, create, and the steps after it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Schema } from '@payflowx/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  act,
  type Environment,
  type ListOptions,
  pageSize,
  take,
  toCount,
  toList,
  toPairs,
  withLimit,
} from '../environment.ts';
import { BadResult, EXIT, UsageError } from '../exit.ts';
import { withKey } from '../interrupt.ts';
import type { Money } from '../money.ts';
import type { Column } from '../output.ts';

type Payment = Schema<'Payment'>;

const STATES = [
  ...(['INITIATED', 'AUTHORIZED', 'PARTIALLY_CAPTURED', 'COMPLETED', 'FAILED'] as const),
  ...(['CANCELLED', 'EXPIRED', 'PARTIALLY_REFUNDED', 'REFUNDED'] as const),
];

const KINDS: readonly Payment['kind'][] = ['payment', 'deposit', 'withdrawal'];

/** Collects states that are given several times, or with commas. */
function toStates(text: string, states: Payment['state'][] = []): Payment['state'][] {
  return toList(text, states).map((given) => {
    const state = STATES.find((known) => known === given);
    if (state === undefined) throw new InvalidArgumentError(`must be of ${STATES.join(', ')}`);
    return state;
  });
}

export function paymentCommands(program: Command): void {
  const payments = program.command('payments').description('payments, deposits and withdrawals');
  addReads(payments);
  addCreate(payments);
  addSteps(payments);
}

interface Filters extends ListOptions {
  account?: string;
  fromAccount?: string;
  toAccount?: string;
  state?: Payment['state'][];
  kind?: Payment['kind'];
  metadata?: Record<string, string>;
  order?: 'asc' | 'desc';
  currency?: string;
  reference?: string;
  referencePrefix?: string;
  mandate?: string;
  after?: string;
  before?: string;
  min?: string;
  max?: string;
}

function addReads(payments: Command): void {
  withLimit(payments.command('list'))
    .description('list payments, newest first')
    .option('--account <id>', 'paid from or to this account')
    .option('--from-account <id>', 'paid from this account')
    .option('--to-account <id>', 'paid to this account')
    .option('--state <state>', 'in this state; several times, or with commas', toStates)
    .addOption(new Option('--kind <kind>', 'of this kind').choices(KINDS))
    .option(
      '--metadata <name=value>',
      'with this metadata of yours; several times: with all of them',
      toPairs,
    )
    .addOption(
      new Option('--order <order>', 'desc: newest first; asc: oldest first').choices(['asc', 'desc']),
    )
    .option('--currency <code>', 'in this currency')
    .option('--reference <text>', 'with exactly this reference')
    .option('--reference-prefix <text>', 'with a reference that begins so')
    .option('--mandate <id>', 'collected by this mandate')
    .option('--after <time>', 'created at or after, such as 2026-01-31T12:00:00Z')
    .option('--before <time>', 'created before')
    .option('--min <amount>', 'at least this amount; needs --currency')
    .option('--max <amount>', 'at most this amount; needs --currency')
    .action(
      act<Filters>(async (env, _, options) => {
        const money = await env.money();
        const query = { ...pageSize(options), ...filtersOf(options, money) };
        env.output.rows(await take(env.api.list('/v1/payments', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['kind', ({ kind }) => kind],
          ['state', ({ state }) => state],
          ['amount', ({ amount, currency }) => money.show(amount, currency), 'right'],
          ['from', ({ from_account }) => from_account],
          ['to', ({ to_account }) => to_account],
          ['reference', ({ reference }) => reference],
          ['created', ({ created_at }) => created_at],
        ]);
      }),
    );

  payments
    .command('get <payment>')
    .description('show a payment')
    .option('--timeline', 'show every step across the services instead')
    .action(
      act<{ timeline?: true }>(async (env, [id = ''], { timeline }) => {
        const params = { path: { id } };
        if (!timeline) return showPayment(env, (await env.api.get('/v1/payments/{id}', { params })).data);
        const { data } = await env.api.get('/v1/payments/{id}/timeline', { params });
        env.output.rows(data.data, [
          ['at', ({ at }) => at],
          ['service', ({ source }) => source],
          ['step', ({ type }) => type],
          ['state', (item) => ('state' in item ? String(item.state ?? '') : '')],
          ['event', (item) => ('event_id' in item ? String(item.event_id ?? '') : '')],
        ]);
      }),
    );

  payments
    .command('watch <payment>')
    .description('wait until the payment is final, and print each change')
    .option('--every <seconds>', 'look this often', toCount, 1)
    .action(
      act<{ every: number }>(async ({ api, output, money }, [id = ''], { every }) => {
        const { show } = await money();
        let version = -1;
        for (;;) {
          const { data: payment } = await api.get('/v1/payments/{id}', { params: { path: { id } } });
          if (payment.version !== version) output.item(payment, (now) => changeLine(now, show));
          version = payment.version;
          if (payment.state === 'FAILED')
            throw new BadResult(payment.failure?.message ?? 'The payment failed.');
          if (FINAL.includes(payment.state)) return;
          await pause(every * 1_000);
        }
      }),
    );
}

const FINAL: readonly Payment['state'][] = [
  'COMPLETED',
  'CANCELLED',
  'EXPIRED',
  'REFUNDED',
  'PARTIALLY_REFUNDED',
];

function filtersOf(options: Filters, money: Money) {
  const { account, fromAccount, toAccount, state, kind, metadata, order } = options;
  const { currency, reference, referencePrefix, mandate, after, before, min, max } = options;
  const amount = (text: string) => {
    if (currency === undefined) throw new UsageError('--min and --max need --currency.');
    return money.parse(text, currency);
  };
  return {
    ...(account && { account_id: account }),
    ...(fromAccount && { from_account: fromAccount }),
    ...(toAccount && { to_account: toAccount }),
    ...(state && { state: state.join(',') }),
    ...(kind && { kind }),
    ...(metadata && { metadata }),
    ...(order && { order }),
    ...(currency && { currency }),
    ...(reference && { reference }),
    ...(referencePrefix && { reference_prefix: referencePrefix }),
    ...(mandate && { mandate_id: mandate }),
    ...(after && { created_after: after }),
    ...(before && { created_before: before }),
    ...(min && { amount_min: amount(min) }),
    ...(max && { amount_max: amount(max) }),
  };
}

function changeLine(
  { updated_at, state, amount, amount_captured, amount_refunded, currency }: Payment,
  show: Money['show'],
) {
  const captured = `captured ${show(amount_captured, currency)} of ${show(amount, currency)}`;
  const refunded = amount_refunded > 0 ? `, refunded ${show(amount_refunded, currency)}` : '';
  return `${updated_at}  ${state}  ${captured}${refunded}`;
}

async function showPayment({ output, money }: Environment, payment: Payment): Promise<void> {
  const { show } = await money();
  const amount = (value: number) => show(value, payment.currency);
  output.object(payment, [
    ['id', ({ id }) => id],
    ['kind', ({ kind }) => kind],
    ['state', ({ state }) => state],
    ['amount', (row) => amount(row.amount)],
    ['captured', (row) => amount(row.amount_captured)],
    ['refunded', (row) => amount(row.amount_refunded)],
    ['from', ({ from_account }) => from_account],
    ['to', ({ to_account }) => to_account],
    ['capture', ({ capture, capture_by }) => `${capture}, by the ${capture_by}`],
    ['mandate', ({ mandate_id }) => mandate_id],
    ['failure', ({ failure }) => failure && `${failure.code}: ${failure.message}`],
    ['reference', ({ reference }) => reference],
    ['description', ({ description }) => description],
    ['metadata', ({ metadata }) => (Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : '')],
    ['expires', ({ expires_at }) => expires_at],
    ['created', ({ created_at }) => created_at],
    ['updated', ({ updated_at }) => updated_at],
  ]);
}

interface CreateOptions {
  from: string;
  to: string;
  amount: string;
  currency?: string;
  capture?: 'automatic' | 'manual';
  captureBy?: 'payer' | 'payee';
  mandate?: string;
  description?: string;
  reference?: string;
  metadata?: Record<string, string>;
  key?: string;
  dryRun?: true;
}

function addCreate(payments: Command): void {
  payments
    .command('create')
    .description('pay from one account to another')
    .requiredOption('--from <account>', 'the paying account')
    .requiredOption('--to <account>', 'the receiving account')
    .requiredOption('--amount <amount>', 'decimal number, such as 12.50')
    .option('--currency <code>', 'default: the currency of the paying account')
    .addOption(new Option('--capture <when>', 'manual only holds the money').choices(['automatic', 'manual']))
    .addOption(new Option('--capture-by <side>', 'who captures and cancels').choices(['payer', 'payee']))
    .option('--description <text>', 'for people')
    .option('--reference <text>', 'your own reference')
    .option('--metadata <name=value>', 'may be given several times', toPairs)
    .option('--mandate <id>', 'collect by this mandate, as the owner of the receiving account')
    .option('--key <key>', 'idempotency key: the same key never pays twice')
    .option('--dry-run', 'show the decision that would be taken, and change nothing')
    .action(
      act<CreateOptions>(async (env, _, options) => {
        const body = await newPayment(env, options);
        if (options.dryRun) return simulate(env, body);
        const { data } = await withKey(options, (key) => env.api.post('/v1/payments', { body, key }));
        await showPayment(env, data);
      }),
    );
}

async function newPayment(
  { api, money }: Environment,
  options: CreateOptions,
): Promise<Schema<'NewPayment'>> {
  const { from, to, amount, capture, captureBy, description, reference, metadata, mandate } = options;
  // A payee cannot read the paying account.
  const currency = options.currency ?? (await currencyOf(api, mandate ? to : from));
  return {
    ...{ from_account: from, to_account: to, currency, amount: (await money()).parse(amount, currency) },
    ...(capture && { capture }),
    ...(captureBy && { capture_by: captureBy }),
    ...(description && { description }),
    ...(reference && { reference }),
    ...(metadata && { metadata }),
    ...(mandate && { mandate_id: mandate }),
  };
}

async function currencyOf(api: Environment['api'], id: string): Promise<string> {
  return (await api.get('/v1/accounts/{id}', { params: { path: { id } } })).data.currency;
}

const CHECKS: Column<Schema<'Decision'>['checks'][number]>[] = [
  ['check', ({ name }) => name],
  ['passed', ({ passed }) => passed],
  ['inputs', ({ inputs }) => JSON.stringify(inputs)],
];

async function simulate({ api, output, format }: Environment, body: Schema<'NewPayment'>): Promise<void> {
  const { data: decision } = await api.post('/v1/payments/simulate', { body });
  if (format === 'table') output.rows(decision.checks, CHECKS);
  else output.object(decision, []);
  if (decision.outcome === 'approved') return output.say('It would be approved. Nothing was done.');
  process.exitCode = EXIT.declined;
  output.say(`It would be declined: ${decision.code}. ${decision.message ?? ''} Nothing was done.`);
}

interface StepOptions {
  amount?: string;
  final?: true;
  reason?: string;
  key?: string;
}

function addSteps(payments: Command): void {
  const step = (name: string, description: string) =>
    payments
      .command(`${name} <payment>`)
      .description(description)
      .option('--key <key>', 'idempotency key: the same key never does it twice');

  step('capture', 'take the held money, whole or in part')
    .option('--amount <amount>', 'decimal number; default: all that is held')
    .option('--final', 'release the rest')
    .action(
      act<StepOptions>(async (env, [id = ''], options) => {
        const params = { path: { id } };
        const amount = await amountOf(env, id, options);
        const body = { ...amount, ...(options.final && { final: true }) };
        const { data } = await withKey(options, (key) =>
          env.api.post('/v1/payments/{id}/capture', { params, body, key }),
        );
        await showPayment(env, data);
      }),
    );

  step('cancel', 'release the held money').action(
    act<StepOptions>(async (env, [id = ''], options) => {
      const params = { path: { id } };
      const { data } = await withKey(options, (key) =>
        env.api.post('/v1/payments/{id}/cancel', { params, body: {}, key }),
      );
      await showPayment(env, data);
    }),
  );

  step('refund', 'pay captured money back, whole or in part')
    .option('--amount <amount>', 'decimal number; default: all that is left')
    .option('--reason <text>', 'for people')
    .action(
      act<StepOptions>(async (env, [id = ''], options) => {
        const params = { path: { id } };
        const amount = await amountOf(env, id, options);
        const body = { ...amount, ...(options.reason && { reason: options.reason }) };
        const { data } = await withKey(options, (key) =>
          env.api.post('/v1/payments/{id}/refunds', { params, body, key }),
        );
        const { show } = await env.money();
        env.output.object(data, [
          ['id', (refund) => refund.id],
          ['payment', ({ payment_id }) => payment_id],
          ['state', ({ state }) => state],
          ['amount', ({ amount: value, currency }) => show(value, currency)],
          ['reason', ({ reason }) => reason],
        ]);
      }),
    );
}

/** The amount of a step, in the currency of its payment. */
async function amountOf(
  { api, money }: Environment,
  id: string,
  { amount }: StepOptions,
): Promise<{ amount?: number }> {
  if (amount === undefined) return {};
  const { data } = await api.get('/v1/payments/{id}', { params: { path: { id } } });
  return { amount: (await money()).parse(amount, data.currency) };
}
