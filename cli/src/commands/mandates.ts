/** Mandates: make, list, show and revoke them. `payments create --mandate` collects by one. */
import type { Schema } from '@payflowx/client';
import { type Command, Option } from 'commander';
import { act, type Environment, type ListOptions, pageSize, take, withLimit } from '../environment.ts';

type Mandate = Schema<'Mandate'>;

const STATES: readonly Mandate['state'][] = ['active', 'revoked', 'expired'];

interface Filters extends ListOptions {
  account?: string;
  fromAccount?: string;
  toAccount?: string;
  state?: Mandate['state'];
  reference?: string;
  after?: string;
  before?: string;
}

interface CreateOptions {
  from: string;
  to: string;
  until: string;
  perPayment?: string;
  daily?: string;
  monthly?: string;
  reference?: string;
  key?: string;
}

export function mandateCommands(program: Command): void {
  const mandates = program.command('mandates').description('permissions of payers that let payees collect');
  addReads(mandates);

  mandates
    .command('create')
    .description('let the owner of another account collect from an account of yours')
    .requiredOption('--from <account>', 'the paying account, one of yours')
    .requiredOption('--to <account>', 'the account of the payee')
    .requiredOption('--until <time>', 'it ends then, such as 2027-01-31T12:00:00Z')
    .option('--per-payment <amount>', 'the most for one payment, such as 12.50')
    .option('--daily <amount>', 'the most in a day of the paying account')
    .option('--monthly <amount>', 'the most in a month of the paying account')
    .option('--reference <text>', 'both sides see it')
    .option('--key <key>', 'idempotency key: the same key never makes a second mandate')
    .action(
      act<CreateOptions>(async (env, _, options) => {
        const body = await newMandate(env, options);
        const { key } = options;
        const { data } = await env.api.post('/v1/mandates', { body, ...(key && { key }) });
        await showMandate(env, data);
      }),
    );

  mandates
    .command('revoke <mandate>')
    .description('end a mandate at once and for ever; its payer and operators can')
    .action(
      act(async (env, [id = '']) => {
        const { data } = await env.api.post('/v1/mandates/{id}/revoke', {
          params: { path: { id } },
          body: {},
        });
        await showMandate(env, data);
      }),
    );
}

function addReads(mandates: Command): void {
  withLimit(mandates.command('list'))
    .description('list mandates from and to your accounts, newest first')
    .option('--account <id>', 'from or to this account')
    .option('--from-account <id>', 'from this account')
    .option('--to-account <id>', 'to this account')
    .addOption(new Option('--state <state>', 'in this state').choices(STATES))
    .option('--reference <text>', 'with exactly this reference')
    .option('--after <time>', 'created at or after, such as 2026-01-31T12:00:00Z')
    .option('--before <time>', 'created before')
    .action(
      act<Filters>(async ({ api, output, money }, _, options) => {
        const { show } = await money();
        const query = queryOf(options);
        output.rows(await take(api.list('/v1/mandates', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['state', ({ state }) => state],
          ['from', ({ from_account }) => from_account],
          ['to', ({ to_account }) => to_account],
          ['this month', ({ usage, currency }) => show(usage.monthly, currency), 'right'],
          ['until', ({ valid_until }) => valid_until],
          ['reference', ({ reference }) => reference],
        ]);
      }),
    );

  mandates
    .command('get <mandate>')
    .description('show a mandate with the use of its limits')
    .action(
      act(async (env, [id = '']) => {
        await showMandate(env, (await env.api.get('/v1/mandates/{id}', { params: { path: { id } } })).data);
      }),
    );
}

function queryOf(options: Filters) {
  const { account, fromAccount, toAccount, state, reference, after, before } = options;
  return {
    ...pageSize(options),
    ...(account && { account_id: account }),
    ...(fromAccount && { from_account: fromAccount }),
    ...(toAccount && { to_account: toAccount }),
    ...(state && { state }),
    ...(reference && { reference }),
    ...(after && { created_after: after }),
    ...(before && { created_before: before }),
  };
}

async function newMandate(
  { api, money }: Environment,
  { from, to, until, perPayment, daily, monthly, reference }: CreateOptions,
): Promise<Schema<'NewMandate'>> {
  const { data: account } = await api.get('/v1/accounts/{id}', { params: { path: { id: from } } });
  const { parse } = await money();
  const amount = (text: string) => parse(text, account.currency);
  return {
    ...{ from_account: from, to_account: to, valid_until: until },
    ...(perPayment && { per_payment: amount(perPayment) }),
    ...(daily && { daily: amount(daily) }),
    ...(monthly && { monthly: amount(monthly) }),
    ...(reference && { reference }),
  };
}

async function showMandate({ output, money }: Environment, mandate: Mandate): Promise<void> {
  const { show } = await money();
  const { currency } = mandate;
  const limit = (most: number | null, used?: number) => {
    if (most === null) return used === undefined ? 'no limit' : `no limit (${show(used, currency)} used)`;
    return used === undefined ? show(most, currency) : `${show(used, currency)} of ${show(most, currency)}`;
  };
  output.object(mandate, [
    ['id', ({ id }) => id],
    ['state', ({ state }) => state],
    ['from', ({ from_account }) => from_account],
    ['to', ({ to_account }) => to_account],
    ['per payment', ({ per_payment }) => limit(per_payment)],
    ['today', ({ daily, usage }) => limit(daily, usage.daily)],
    ['this month', ({ monthly, usage }) => limit(monthly, usage.monthly)],
    ['until', ({ valid_until }) => valid_until],
    ['reference', ({ reference }) => reference],
    ['created', ({ created_at }) => created_at],
    ['revoked', ({ revoked_at }) => revoked_at],
  ]);
}
