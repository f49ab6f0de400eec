/** Messages that were given up: list them, look into one, and send them back after the cause is fixed. */
import { type Command, Option } from 'commander';
import { act, type ListOptions, pageSize, take, withLimit } from '../environment.ts';
import { UsageError } from '../exit.ts';

const SOURCES = [
  ...(['payment-events', 'payment-outbox', 'payment-notifications'] as const),
  ...(['identity-notifications', 'auth-outbox'] as const),
];
const REASONS = ['UNDECODABLE', 'REJECTED', 'DELIVERY_LIMIT', 'REFUSED'] as const;

interface Filters {
  source?: (typeof SOURCES)[number];
  reason?: (typeof REASONS)[number];
}

const filtersOf = ({ source, reason }: Filters) => ({ ...(source && { source }), ...(reason && { reason }) });

export function deadLetterCommands(program: Command): void {
  const letters = program.command('dead-letters').description('messages that were given up');

  withLimit(withFilters(letters.command('list')))
    .description('list dead letters, service by service, newest first')
    .action(
      act<ListOptions & Filters>(async ({ api, output }, _, options) => {
        const query = { ...pageSize(options), ...filtersOf(options) };
        output.rows(await take(api.list('/v1/dead-letters', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['source', ({ source }) => source],
          ['reason', ({ reason }) => reason],
          ['event', ({ event_type }) => event_type],
          ['key', ({ key }) => key],
          ['failed', ({ failed_at }) => failed_at],
          ['error', ({ error }) => error],
        ]);
      }),
    );

  letters
    .command('get <dead-letter>')
    .description('show one with its headers and its decoded payload')
    .action(
      act(async ({ api, output }, [id = '']) => {
        const { data } = await api.get('/v1/dead-letters/{id}', { params: { path: { id } } });
        output.object(data, [
          ['id', (letter) => letter.id],
          ['source', ({ source }) => source],
          ['reason', ({ reason }) => reason],
          ['error', ({ error }) => error],
          ['event', ({ event_type, event_id }) => `${event_type ?? ''} ${event_id ?? ''}`.trim()],
          ['key', ({ key }) => key],
          ['failed', ({ failed_at }) => failed_at],
          ['headers', ({ headers }) => JSON.stringify(headers)],
          ['payload', ({ payload, payload_base64 }) => (payload ? JSON.stringify(payload) : payload_base64)],
        ]);
      }),
    );

  withFilters(letters.command('redrive [dead-letter]'))
    .description('send one back, or all that match the filters')
    .option('--all', 'without a filter: all of them')
    .action(
      act<Filters & { all?: true }>(async ({ api, output }, [id], options) => {
        const filters = filtersOf(options);
        const isFiltered = Object.keys(filters).length > 0;
        if ([id !== undefined, isFiltered, options.all === true].filter(Boolean).length !== 1)
          throw new UsageError('Give the id of one, or --source and --reason, or --all.');
        const { data } =
          id === undefined
            ? await api.post('/v1/dead-letters/redrive', { body: filters })
            : await api.post('/v1/dead-letters/{id}/redrive', { params: { path: { id } }, body: {} });
        output.object(data, [['sent back', ({ redriven }) => redriven]]);
      }),
    );
}

function withFilters(command: Command): Command {
  return command
    .addOption(new Option('--source <source>', 'only of this source').choices(SOURCES))
    .addOption(new Option('--reason <reason>', 'only for this reason').choices(REASONS));
}
