/** API clients: machines that log in by themselves and act for a user. */
import type { Schema } from '@payflowx/client';
import type { Command } from 'commander';
import { act, type ListOptions, pageSize, take, toList, withLimit } from '../environment.ts';

type Scopes = Schema<'NewApiClient'>['scopes'];

export function apiClientCommands(program: Command): void {
  const clients = program.command('clients').description('machines that act for a user');

  withLimit(clients.command('list'))
    .description('list API clients, newest first')
    .option('--user <id>', 'only of this user')
    .action(
      act<ListOptions & { user?: string }>(async ({ api, output }, _, options) => {
        const query = { ...pageSize(options), ...(options.user && { user_id: options.user }) };
        output.rows(await take(api.list('/v1/api-clients', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['name', ({ name }) => name],
          ['user', ({ user_id }) => user_id],
          ['scopes', ({ scopes }) => scopes.join(', ')],
          ['revoked', ({ revoked_at }) => revoked_at],
        ]);
      }),
    );

  clients
    .command('create <name>')
    .description('create an API client; its secret is shown once')
    .requiredOption('--user <id>', 'the user that it acts for')
    .requiredOption('--scope <scope>', 'several times, or with commas', toList)
    .action(
      act<{ user: string; scope: string[] }>(async ({ api, output }, [name = ''], { user, scope }) => {
        const body = { name, user_id: user, scopes: scope as Scopes };
        const { data } = await api.post('/v1/api-clients', { body });
        output.object(data, [
          ['id', ({ client }) => client.id],
          ['secret', ({ client_secret }) => client_secret],
        ]);
      }),
    );

  clients
    .command('revoke <client>')
    .description('refuse its logins and tokens from now on')
    .action(
      act(async ({ api, output }, [id = '']) => {
        const params = { path: { id } };
        const { data } = await api.post('/v1/api-clients/{id}/revoke', { params, body: {} });
        output.object(data, [
          ['id', (client) => client.id],
          ['revoked', ({ revoked_at }) => revoked_at],
        ]);
      }),
    );

  clients
    .command('rotate-secret <client>')
    .description('replace its secret; the new one is shown once')
    .action(
      act(async ({ api, output }, [id = '']) => {
        const params = { path: { id } };
        const { data } = await api.post('/v1/api-clients/{id}/rotate-secret', { params, body: {} });
        output.object(data, [['secret', ({ client_secret }) => client_secret]]);
      }),
    );
}
