/** People: their roles, states and passwords. */
import type { Schema } from '@payflowx/client';
import { type Command, Option } from 'commander';
import {
  act,
  type Environment,
  type ListOptions,
  pageSize,
  take,
  toList,
  withLimit,
} from '../environment.ts';
import { UsageError } from '../exit.ts';

type Role = Schema<'User'>['roles'][number];
const ROLES = ['customer', 'operator', 'auditor', 'admin'];

interface NewUserOptions {
  role: Role[];
  password: boolean;
  externalId?: string;
}

interface UpdateOptions {
  role?: Role[];
  email?: string;
  language?: string;
  externalId?: string;
}

export function userCommands(program: Command): void {
  const users = program.command('users').description('the people who can log in');

  withLimit(users.command('list'))
    .description('list users, newest first')
    .option('--username <name>', 'only the user with this name')
    .option('--external-id <id>', 'only users with this external id')
    .action(
      act<ListOptions & { username?: string; externalId?: string }>(async ({ api, output }, _, options) => {
        const { username, externalId } = options;
        const query = {
          ...pageSize(options),
          ...(username && { username }),
          ...(externalId && { external_id: externalId }),
        };
        output.rows(await take(api.list('/v1/users', { params: { query } }), options), [
          ['id', ({ id }) => id],
          ['username', (user) => user.username],
          ['roles', ({ roles }) => roles.join(', ')],
          ['state', ({ state }) => state],
          ['second factor', ({ second_factor }) => second_factor],
          ['last login', ({ last_login_at }) => last_login_at],
        ]);
      }),
    );

  users
    .command('get <user>')
    .description('show a user')
    .action(
      act(async (env, [id = '']) => {
        showUser(env, (await env.api.get('/v1/users/{id}', { params: { path: { id } } })).data);
      }),
    );

  users
    .command('create <username>')
    .description('create a user; the password is read from standard input')
    .option('--no-password', 'only API clients act for the user; it cannot log in')
    .option('--external-id <id>', 'your own id for it')
    .addOption(
      new Option('--role <role>', 'several times, or with commas').argParser(toRoles).makeOptionMandatory(),
    )
    .action(
      act<NewUserOptions>(async (env, [username = ''], { role: roles, password, externalId }) => {
        const body = {
          ...{ username, roles },
          ...(password && { password: await readPassword() }),
          ...(externalId && { external_id: externalId }),
        };
        showUser(env, (await env.api.post('/v1/users', { body })).data);
      }),
    );

  users
    .command('update <user>')
    .description('change roles, address, language or external id')
    .addOption(new Option('--role <role>', 'all roles; several times, or with commas').argParser(toRoles))
    .option('--email <address>', 'address for mails')
    .option('--language <code>', 'language of mails')
    .option('--external-id <id>', 'your own id for it')
    .action(
      act<UpdateOptions>(async (env, [id = ''], options) => {
        const { role: roles, email, language, externalId } = options;
        const path = { id };
        const { data: user } = await env.api.get('/v1/users/{id}', { params: { path } });
        const header = { 'if-match': `"${user.version}"` };
        const body = {
          ...(roles && { roles }),
          ...(email && { email }),
          ...(language && { language }),
          ...(externalId !== undefined && { external_id: externalId }),
        };
        const { data } = await env.api.patch('/v1/users/{id}', { params: { path, header }, body });
        showUser(env, data);
      }),
    );

  for (const action of ['disable', 'enable'] as const)
    users
      .command(`${action} <user>`)
      .description(
        action === 'disable' ? 'end all sessions and refuse logins' : 'let a disabled user log in again',
      )
      .action(
        act(async (env, [id = '']) => {
          const params = { path: { id } };
          showUser(env, (await env.api.post(`/v1/users/{id}/${action}`, { params, body: {} })).data);
        }),
      );

  users
    .command('reset-password <user>')
    .description('make a password for one login; it is shown once')
    .action(
      act(async ({ api, output }, [id = '']) => {
        const params = { path: { id } };
        const { data } = await api.post('/v1/users/{id}/reset-password', { params, body: {} });
        output.object(data, [
          ['one-time password', ({ one_time_password }) => one_time_password],
          ['expires', ({ expires_at }) => expires_at],
        ]);
      }),
    );
}

function toRoles(text: string, roles: string[] = []): Role[] {
  const all = toList(text, roles);
  const wrong = all.filter((role) => !ROLES.includes(role));
  if (wrong.length > 0) throw new UsageError(`${wrong.join(', ')}: a role is ${ROLES.join(', ')}.`);
  return all as Role[];
}

async function readPassword(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  return text.replace(/\r?\n$/, '');
}

function showUser({ output }: Environment, user: Schema<'User'>): void {
  output.object(user, [
    ['id', ({ id }) => id],
    ['username', ({ username }) => username],
    ['roles', ({ roles }) => roles.join(', ')],
    ['state', ({ state }) => state],
    ['email', ({ email, email_verified }) => email && `${email}${email_verified ? '' : ' (not confirmed)'}`],
    ['external id', ({ external_id }) => external_id],
    ['password', ({ has_password }) => has_password],
    ['second factor', ({ second_factor }) => second_factor],
    ['last login', ({ last_login_at }) => last_login_at],
    ['created', ({ created_at }) => created_at],
  ]);
}
