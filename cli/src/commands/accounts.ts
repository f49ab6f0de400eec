/** Accounts: their balances, limits and states. */
import type { Schema } from '@payflowx/client';
import { type Command, Option } from 'commander';
import {
  act,
  type Environment,
  type ListOptions,
  pageSize,
  take,
  toCount,
  toCountOrNone,
  withLimit,
} from '../environment.ts';
import { UsageError } from '../exit.ts';
import { withKey } from '../interrupt.ts';
import type { Money } from '../money.ts';

type Account = Schema<'Account'>;

export function accountCommands(program: Command): void {
  const accounts = program.command('accounts').description('accounts, their limits and statements');
  addReads(accounts);
  addChanges(accounts);
}

const STATUSES = ['ACTIVE', 'FROZEN', 'CLOSED'] as const;

interface AccountListOptions extends ListOptions {
  owner?: string;
  status?: (typeof STATUSES)[number];
  name?: string;
  externalId?: string;
}

function addReads(accounts: Command): void {
  withLimit(accounts.command('list'))
    .description('list accounts, newest first')
    .option('--owner <user>', 'only those of this user')
    .addOption(new Option('--status <status>', 'only those in this status').choices(STATUSES))
    .option('--name <text>', 'only those with exactly this name')
    .option('--external-id <text>', 'only those with exactly this external id')
    .action(
      act<AccountListOptions>(async ({ api, output, money }, _, options) => {
        const { show } = await money();
        const query = {
          ...pageSize(options),
          ...{ owner_id: options.owner, status: options.status },
          ...{ name: options.name, external_id: options.externalId },
        };
        output.rows(await take(api.list('/v1/accounts', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['name', ({ name }) => name],
          ['status', ({ status }) => status],
          ['posted', ({ balance, currency }) => show(balance.posted, currency), 'right'],
          ['held', ({ balance, currency }) => show(balance.held, currency), 'right'],
          ['available', ({ balance, currency }) => show(balance.available, currency), 'right'],
          ['owner', ({ owner_id }) => owner_id],
        ]);
      }),
    );

  accounts
    .command('get <account>')
    .description('show an account with its limits and their use')
    .action(
      act(async (env, [id = '']) => {
        await showAccount(env, (await env.api.get('/v1/accounts/{id}', { params: { path: { id } } })).data);
      }),
    );

  withLimit(accounts.command('statement <account>'))
    .description('list the movements of a period, oldest first')
    .option('--from <time>', 'default: a month ago')
    .option('--to <time>', 'default: now')
    .action(
      act<ListOptions & { from?: string; to?: string }>(
        async ({ api, output, money }, [id = ''], options) => {
          const query = { ...pageSize(options), ...period(options) };
          const path = { id };
          const { data: account } = await api.get('/v1/accounts/{id}', { params: { path } });
          const rows = await take(
            api.list('/v1/ledger/accounts/{id}/statement', { params: { path, query } }),
            options,
          );
          const { show } = await money();
          output.rows(rows, [
            ['at', ({ entry }) => entry.created_at],
            ['direction', ({ entry }) => entry.direction],
            ['amount', ({ entry }) => show(entry.amount, entry.currency), 'right'],
            ['balance', ({ balance }) => show(balance, account.currency), 'right'],
            ['payment', ({ entry }) => entry.payment_id],
          ]);
        },
      ),
    );
}

const MONTH_MS = 30 * 86_400_000;

function period({ from, to }: { from?: string; to?: string }) {
  return { from: from ?? new Date(Date.now() - MONTH_MS).toISOString(), ...(to && { to }) };
}

async function showAccount({ output, money }: Environment, account: Account): Promise<void> {
  const { show } = await money();
  const { currency } = account;
  const limit = (used: number, most: number | null) =>
    most === null
      ? `no limit (${show(used, currency)} used)`
      : `${show(used, currency)} of ${show(most, currency)}`;
  output.object(account, [
    ['id', ({ id }) => id],
    ['name', ({ name }) => name],
    ['owner', ({ owner_id }) => owner_id],
    ['status', ({ status }) => status],
    ['posted', ({ balance }) => show(balance.posted, currency)],
    ['held', ({ balance }) => show(balance.held, currency)],
    ['available', ({ balance }) => show(balance.available, currency)],
    ['per payment', ({ limits }) => limits.per_payment && `at most ${show(limits.per_payment, currency)}`],
    ['today', ({ usage, limits }) => limit(usage.daily, limits.daily)],
    ['this month', ({ usage, limits }) => limit(usage.monthly, limits.monthly)],
    [
      'payments today',
      ({ usage, limits }) =>
        `${usage.daily_count}${limits.daily_count === null ? '' : ` of ${limits.daily_count}`}`,
    ],
    ['version', ({ version }) => version],
  ]);
}

interface LimitOptions {
  perPayment?: string;
  daily?: string;
  monthly?: string;
  dailyCount?: number | null;
  name?: string;
  externalId?: string;
}

function addChanges(accounts: Command): void {
  withLimits(accounts.command('create'))
    .description('open an account')
    .requiredOption('--owner <user>', 'id of its owner')
    .requiredOption('--currency <code>', 'ISO 4217')
    .action(
      act<LimitOptions & { owner: string; currency: string }>(async (env, _, options) => {
        const limits = await limitsOf(env, options, options.currency);
        const body = {
          ...{ owner_id: options.owner, currency: options.currency },
          ...(options.name && { name: options.name }),
          ...(options.externalId && { external_id: options.externalId }),
          ...(Object.keys(limits).length > 0 && { limits: withoutNone(limits) }),
        };
        await showAccount(env, (await env.api.post('/v1/accounts', { body })).data);
      }),
    );

  withLimits(accounts.command('update <account>'))
    .description('change the name, external id or limits; the limit "none" is removed')
    .option(
      '--if-version <number>',
      'only if the account has this version; default: the present one',
      toCount,
    )
    .action(
      act<LimitOptions & { ifVersion?: number }>(async (env, [id = ''], options) => {
        const path = { id };
        const { data: account } = await env.api.get('/v1/accounts/{id}', { params: { path } });
        const limits = await limitsOf(env, options, account.currency);
        const header = { 'if-match': `"${options.ifVersion ?? account.version}"` };
        const body = {
          ...(options.name !== undefined && { name: options.name }),
          ...(options.externalId !== undefined && { external_id: options.externalId }),
          ...(Object.keys(limits).length > 0 && { limits }),
        };
        if (Object.keys(body).length === 0) throw new UsageError('Give something to change.');
        const { data } = await env.api.patch('/v1/accounts/{id}', { params: { path, header }, body });
        await showAccount(env, data);
      }),
    );

  for (const action of ['freeze', 'unfreeze', 'close'] as const) {
    accounts
      .command(`${action} <account>`)
      .description(DESCRIPTIONS[action])
      .option('--reason <text>', 'for the audit log')
      .action(
        act<{ reason?: string }>(async (env, [id = ''], { reason }) => {
          const body = reason === undefined ? {} : { reason };
          const { data } = await env.api.post(`/v1/accounts/{id}/${action}`, {
            params: { path: { id } },
            body,
          });
          await showAccount(env, data);
        }),
      );
  }

  accounts
    .command('advance <account>')
    .description('act as if time had passed: holds end earlier, limits begin again; only in a sandbox')
    .addOption(new Option('--seconds <number>', 'such as 86400').argParser(toCount).makeOptionMandatory())
    .option('--key <key>', 'idempotency key: the same key never does it twice')
    .action(
      act<{ seconds: number; key?: string }>(async ({ api, output }, [id = ''], options) => {
        const request = { params: { path: { id } }, body: { seconds: options.seconds } };
        const { data } = await withKey(options, (key) =>
          api.post('/v1/sandbox/accounts/{id}/advance', { ...request, key }),
        );
        output.object(data, [
          ['account', ({ account_id }) => account_id],
          ['moved holds', ({ moved_holds }) => moved_holds],
          ['seconds in all', ({ advanced_seconds }) => advanced_seconds],
        ]);
      }),
    );

  for (const [action, path] of [
    ['deposit', '/v1/deposits'],
    ['withdraw', '/v1/withdrawals'],
  ] as const) {
    accounts
      .command(`${action} <account>`)
      .description(action === 'deposit' ? 'put money into an account' : 'pay money out of an account')
      .addOption(new Option('--amount <amount>', 'decimal number, such as 12.50').makeOptionMandatory())
      .option('--reference <text>', 'your own reference')
      .option('--key <key>', 'idempotency key: the same key never does it twice')
      .action(
        act<{ amount: string; reference?: string; key?: string }>(async (env, [id = ''], options) => {
          const { data: account } = await env.api.get('/v1/accounts/{id}', { params: { path: { id } } });
          const money = await env.money();
          const { currency } = account;
          const body = {
            ...{ account_id: id, amount: money.parse(options.amount, currency), currency },
            ...(options.reference && { reference: options.reference }),
          };
          const { data } = await withKey(options, (key) => env.api.post(path, { body, key }));
          env.output.object(data, [
            ['id', (payment) => payment.id],
            ['state', ({ state }) => state],
            ['amount', ({ amount }) => money.show(amount, currency)],
          ]);
        }),
      );
  }
}

const DESCRIPTIONS = {
  freeze: 'stop an account from paying and receiving; holds can still be captured',
  unfreeze: 'let a frozen account pay and receive again',
  close: 'close an account for ever; it must be empty',
};

function withLimits(command: Command): Command {
  return command
    .option('--name <text>', 'for people')
    .option('--external-id <text>', 'your own id for it')
    .option('--per-payment <amount>', 'largest payment')
    .option('--daily <amount>', 'largest sum of a day')
    .option('--monthly <amount>', 'largest sum of a month')
    .option('--daily-count <number>', 'most payments of a day', toCountOrNone);
}

type Limits = Partial<Record<'per_payment' | 'daily' | 'monthly' | 'daily_count', number | null>>;

async function limitsOf(env: Environment, options: LimitOptions, currency: string): Promise<Limits> {
  const { perPayment, daily, monthly, dailyCount } = options;
  const money = await env.money();
  return {
    ...(perPayment && { per_payment: amount(money, perPayment, currency) }),
    ...(daily && { daily: amount(money, daily, currency) }),
    ...(monthly && { monthly: amount(money, monthly, currency) }),
    ...(dailyCount !== undefined && { daily_count: dailyCount }),
  };
}

function amount(money: Money, text: string, currency: string): number | null {
  return text === 'none' ? null : money.parse(text, currency);
}

/** A new account has no limit that could be removed. */
function withoutNone(limits: Limits): Record<string, number> {
  return Object.fromEntries(
    Object.entries(limits).filter((entry): entry is [string, number] => entry[1] !== null),
  );
}
