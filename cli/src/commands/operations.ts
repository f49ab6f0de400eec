/** Captures and refunds: list them over all payments, and show one. */
import type { Schema } from '@payflowx/client';
import { type Command, Option } from 'commander';
import { act, type Environment, type ListOptions, pageSize, take, withLimit } from '../environment.ts';
import type { Money } from '../money.ts';
import type { Column } from '../output.ts';

/** The fields that captures and refunds share. */
type Operation = Schema<'Capture'> | Schema<'Refund'>;
type State = Operation['state'];

const STATES: readonly State[] = ['PENDING', 'COMPLETED', 'FAILED'];

interface Filters extends ListOptions {
  payment?: string;
  account?: string;
  state?: State;
  after?: string;
  before?: string;
}

export function captureCommands(program: Command): void {
  const captures = program.command('captures').description('the parts of held money that were taken');
  withFilters(captures.command('list'))
    .description('list captures of all payments, newest first')
    .action(
      act<Filters>(async ({ api, output, money }, _, options) => {
        const query = queryOf(options);
        const rows = await take(api.list('/v1/captures', { params: { query } }), options);
        output.rows(rows, columnsOf(await money()));
      }),
    );
  captures
    .command('get <capture>')
    .description('show a capture')
    .action(
      act(async (env, [id = '']) => {
        const { data } = await env.api.get('/v1/captures/{id}', { params: { path: { id } } });
        await show(env, data, [['final', ({ final }) => final]]);
      }),
    );
}

export function refundCommands(program: Command): void {
  const refunds = program.command('refunds').description('captured money that was paid back');
  withFilters(refunds.command('list'))
    .description('list refunds of all payments, newest first')
    .action(
      act<Filters>(async ({ api, output, money }, _, options) => {
        const query = queryOf(options);
        const rows = await take(api.list('/v1/refunds', { params: { query } }), options);
        output.rows(rows, columnsOf(await money()));
      }),
    );
  refunds
    .command('get <refund>')
    .description('show a refund')
    .action(
      act(async (env, [id = '']) => {
        const { data } = await env.api.get('/v1/refunds/{id}', { params: { path: { id } } });
        await show(env, data, [['reason', ({ reason }) => reason]]);
      }),
    );
}

function withFilters(command: Command): Command {
  return withLimit(command)
    .option('--payment <id>', 'only of this payment')
    .option('--account <id>', 'only of payments from or to this account')
    .addOption(new Option('--state <state>', 'in this state').choices(STATES))
    .option('--after <time>', 'created at or after, such as 2026-01-31T12:00:00Z')
    .option('--before <time>', 'created before');
}

function queryOf(options: Filters) {
  const { payment, account, state, after, before } = options;
  return {
    ...pageSize(options),
    ...(payment && { payment_id: payment }),
    ...(account && { account_id: account }),
    ...(state && { state }),
    ...(after && { created_after: after }),
    ...(before && { created_before: before }),
  };
}

function columnsOf({ show: text }: Money): Column<Operation>[] {
  return [
    ['id', ({ id }) => id],
    ['payment', ({ payment_id }) => payment_id],
    ['state', ({ state }) => state],
    ['amount', ({ amount, currency }) => text(amount, currency), 'right'],
    ['reference', ({ reference }) => reference],
    ['created', ({ created_at }) => created_at],
  ];
}

async function show<T extends Operation>(
  { output, money }: Environment,
  operation: T,
  more: Column<T>[],
): Promise<void> {
  output.object(operation, [
    ...columnsOf(await money()),
    ...more,
    ['failure', ({ failure }) => failure && `${failure.code}: ${failure.message}`],
    ['metadata', ({ metadata }) => (Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : '')],
    ['payment is', ({ payment }) => payment?.state],
  ]);
}
