/** Events: list past ones, and follow new ones. */
import type { Schema } from '@payflowx/client';
import type { Command } from 'commander';
import { act, type ListOptions, pageSize, take, toCount, toList, withLimit } from '../environment.ts';
import { followEvents } from '../event-stream.ts';

type Event = Schema<'Event'>;

interface Filters {
  type?: string[];
  payment?: string;
  account?: string;
}

export function eventCommands(program: Command): void {
  const events = program.command('events').description('every step of payments, as it happens');

  withLimit(withFilters(events.command('list')))
    .description('list past events, newest first')
    .action(
      act<ListOptions & Filters>(async ({ api, output }, _, options) => {
        const { type, payment, account } = options;
        const query = {
          ...pageSize(options),
          ...(type && { type: type.join(',') }),
          ...(payment && { payment_id: payment }),
          ...(account && { account_id: account }),
        };
        output.rows(await take(api.list('/v1/events', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['type', (event) => event.type],
          ['payment', ({ data }) => data.payment?.id],
          ['created', ({ created_at }) => created_at],
        ]);
      }),
    );

  withFilters(events.command('tail'))
    .description('print events as they happen, until Ctrl-C')
    .option('--after <event>', 'first those after this event')
    .option('--count <number>', 'end after this many', toCount)
    .action(
      act<Filters & { after?: string; count?: number }>(async (env, _, options) => {
        const { type: types = [], after, count = Number.POSITIVE_INFINITY } = options;
        const { show } = await env.money();
        let seen = 0;
        for await (const event of followEvents(env, { types, after })) {
          if (!matches(event, options)) continue;
          env.output.item(event, ({ created_at, type, data: { payment } }) => {
            const about = payment
              ? `${payment.id}  ${payment.state}  ${show(payment.amount, payment.currency)}`
              : '';
            return `${created_at}  ${type}  ${about}`.trimEnd();
          });
          seen += 1;
          if (seen >= count) return;
        }
      }),
    );
}

/** The stream has no filters but the type. */
function matches({ data: { payment } }: Event, { payment: id, account }: Filters): boolean {
  if (id !== undefined && payment?.id !== id) return false;
  return account === undefined || [payment?.from_account, payment?.to_account].includes(account);
}

function withFilters(command: Command): Command {
  return command
    .option('--type <type>', 'only of this type; several times, or with commas', toList)
    .option('--payment <id>', 'only of this payment')
    .option('--account <id>', 'only from or to this account');
}
