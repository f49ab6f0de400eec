/** The audit log: who did what, and when. */
import type { Command } from 'commander';
import { act, type ListOptions, pageSize, take, withLimit } from '../environment.ts';

interface Filters extends ListOptions {
  actor?: string;
  account?: string;
  subject?: string;
  endpoint?: string;
}

const actorOf = ({ actor }: Filters) => ({ ...(actor && { actor_id: actor }) });

export function auditCommands(program: Command): void {
  const audit = program.command('audit').description('who did what, and when');
  const log = (name: string, description: string) =>
    withLimit(audit.command(name)).description(description).option('--actor <id>', 'only of this user');

  log('accounts', 'accounts opened, changed, frozen and closed')
    .option('--account <id>', 'only of this account')
    .action(
      act<Filters>(async ({ api, output }, _, options) => {
        const { account } = options;
        const query = { ...pageSize(options), ...actorOf(options), ...(account && { account_id: account }) };
        output.rows(await take(api.list('/v1/audit/accounts', { params: { query } }), options), [
          ['at', ({ created_at }) => created_at],
          ['actor', ({ actor_id }) => actor_id],
          ['action', ({ action }) => action],
          ['account', ({ account_id }) => account_id],
          ['reason', ({ reason }) => reason],
        ]);
      }),
    );

  log('payments', 'what operators did with the money of others')
    .option('--account <id>', 'only of this account')
    .action(
      act<Filters>(async ({ api, output, money }, _, options) => {
        const { account } = options;
        const { show } = await money();
        const query = { ...pageSize(options), ...actorOf(options), ...(account && { account_id: account }) };
        output.rows(await take(api.list('/v1/audit/payments', { params: { query } }), options), [
          ['at', ({ created_at }) => created_at],
          ['actor', ({ actor_id }) => actor_id],
          ['action', ({ action }) => action],
          ['outcome', ({ outcome, failure_code }) => failure_code ?? outcome],
          ['amount', ({ amount, currency }) => show(amount, currency), 'right'],
          ['payment', ({ payment_id }) => payment_id],
        ]);
      }),
    );

  log('identities', 'users, API clients and signing keys')
    .option('--subject <id>', 'only of this user, client or key')
    .action(
      act<Filters>(async ({ api, output }, _, options) => {
        const { subject } = options;
        const query = { ...pageSize(options), ...actorOf(options), ...(subject && { subject_id: subject }) };
        output.rows(await take(api.list('/v1/audit/identities', { params: { query } }), options), [
          ['at', ({ created_at }) => created_at],
          ['actor', ({ actor_id }) => actor_id],
          ['action', ({ action }) => action],
          ['subject', ({ subject_id }) => subject_id],
        ]);
      }),
    );

  log('webhooks', 'what operators did with the endpoints of others')
    .option('--endpoint <id>', 'only of this endpoint')
    .action(
      act<Filters>(async ({ api, output }, _, options) => {
        const { endpoint } = options;
        const query = {
          ...pageSize(options),
          ...actorOf(options),
          ...(endpoint && { endpoint_id: endpoint }),
        };
        output.rows(await take(api.list('/v1/audit/webhooks', { params: { query } }), options), [
          ['at', ({ created_at }) => created_at],
          ['actor', ({ actor_id }) => actor_id],
          ['action', ({ action }) => action],
          ['endpoint', ({ endpoint_id }) => endpoint_id],
        ]);
      }),
    );

  log('dead-letters', 'who sent dead letters back').action(
    act<Filters>(async ({ api, output }, _, options) => {
      const query = { ...pageSize(options), ...actorOf(options) };
      output.rows(await take(api.list('/v1/audit/dead-letters', { params: { query } }), options), [
        ['at', ({ created_at }) => created_at],
        ['actor', ({ actor_id }) => actor_id],
        ['dead letter', ({ dead_letter_id }) => dead_letter_id ?? 'all that match'],
        ['source', ({ source }) => source],
        ['reason', ({ reason }) => reason],
        ['sent back', ({ redriven }) => redriven, 'right'],
      ]);
    }),
  );
}
