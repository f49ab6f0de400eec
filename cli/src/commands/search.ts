/** Finds things by id, reference, username or amount. */
import type { Command } from 'commander';
import { act } from '../environment.ts';

export function searchCommand(program: Command): void {
  program
    .command('search <text...>')
    .description('find something by its id, a payment by its reference or amount, a user by its name')
    .addHelpText('after', '\nExamples:\n  payflowx search order-4711\n  payflowx search 12.50 EUR')
    .action(
      act(async ({ api, output }, words) => {
        const { data } = await api.get('/v1/search', { params: { query: { q: words.join(' ') } } });
        output.rows(data.data, [
          ['kind', ({ kind }) => kind],
          ['id', ({ id }) => id],
          ['title', ({ title }) => title],
        ]);
      }),
    );
}
