/** Logs in and out. The tokens are in the file of the context, which only its owner can read. */
import password from '@inquirer/password';
import { createPayFlowX, type PayFlowX, PayFlowXError, type Schema } from '@payflowx/client';
import type { Command } from 'commander';
import { act, globalOptions } from '../environment.ts';
import { UsageError } from '../exit.ts';
import { currentName, readContext, useContext, writeContext } from '../files.ts';
import { done } from '../output.ts';
import { sessionOf, targetOf } from '../session.ts';

interface LoginOptions {
  user?: string;
  passwordStdin?: true;
  code?: string;
}

export function loginCommands(program: Command): void {
  program
    .command('login')
    .description('log in; the context gets the name of --context, or "default"')
    .option('-u, --user <name>', 'username')
    .option('--password-stdin', 'read the password from standard input, not from the terminal')
    .option('--code <code>', 'the code of the second factor, or a recovery code')
    .addHelpText('after', '\nExample:\n  payflowx login --gateway http://127.0.0.1:8080 --user operator')
    .action(async (options: LoginOptions, command: Command) => {
      const { context: given, gateway: url, output } = globalOptions(command);
      const name = given ?? (process.env.PAYFLOWX_CONTEXT || currentName() || 'default');
      const known = readContext(name);
      const gateway = url ?? process.env.PAYFLOWX_GATEWAY ?? known?.gateway;
      if (gateway === undefined || !URL.canParse(gateway))
        throw new UsageError('Give the URL of the platform: --gateway http://127.0.0.1:8080');
      const username = options.user ?? known?.username;
      if (username === undefined) throw new UsageError('Give your username: --user operator');
      const api = createPayFlowX({ gateway });
      const tokens = await logIn(api, username, await readPassword(options), options.code);
      writeContext(name, { gateway, username, session: sessionOf(tokens) });
      useContext(name);
      done(
        output,
        { context: name, gateway, username },
        `Logged in to ${gateway} as ${username}. Context: ${name}.`,
      );
    });

  program
    .command('logout')
    .description('end the session of the context')
    .action(async (_: object, command: Command) => {
      const options = globalOptions(command);
      const { name, context } = targetOf(options);
      if (name === undefined || !context.session) throw new UsageError('You are not logged in.');
      const { session, ...rest } = context;
      const body = { refresh_token: session.refreshToken };
      await createPayFlowX({ gateway: context.gateway }).post('/v1/auth/logout', { body });
      writeContext(name, rest);
      done(options.output, { context: name, logged_in: false }, `Logged out of ${context.gateway}.`);
    });

  program
    .command('whoami')
    .description('show who is logged in')
    .action(
      act(async ({ api, output, target }) => {
        const { data } = await api.get('/v1/auth/me');
        output.object({ ...data, gateway: target.context.gateway }, [
          ['id', ({ id }) => id],
          ['username', ({ username }) => username],
          ['roles', ({ roles }) => roles.join(', ')],
          ['gateway', ({ gateway }) => gateway],
        ]);
      }),
    );
}

async function logIn(
  api: PayFlowX,
  username: string,
  secret: string,
  code: string | undefined,
): Promise<Schema<'Tokens'>> {
  try {
    const { data } = await api.post('/v1/auth/login', { body: { username, password: secret } });
    return data;
  } catch (error) {
    if (!(error instanceof PayFlowXError)) throw error;
    if (error.code === 'PASSWORD_CHANGE_REQUIRED') return replacePassword(api, username, secret, code);
    if (error.code !== 'SECOND_FACTOR_REQUIRED') throw error;
    const { challenge = '', methods } = error.problem;
    const given = code ?? (await ask(questionFor(methods)));
    const body = { challenge, ...(/^\d{6}$/.test(given) ? { code: given } : { recovery_code: given }) };
    return (await api.post('/v1/auth/login/second-factor', { body })).data;
  }
}

/** A terminal has no passkeys: browsers give them to pages only. */
function questionFor(methods: Schema<'Problem'>['methods']): string {
  const hasApp = methods?.includes('totp') ?? true;
  return hasApp
    ? 'Code of your second factor, or a recovery code'
    : 'A recovery code, as passkeys need a browser';
}

async function replacePassword(
  api: PayFlowX,
  username: string,
  oneTimePassword: string,
  code: string | undefined,
): Promise<Schema<'Tokens'>> {
  const newPassword = await ask('This password is for one login. Your new password');
  const body = { username, one_time_password: oneTimePassword, new_password: newPassword };
  await api.post('/v1/auth/one-time-password', { body });
  return logIn(api, username, newPassword, code);
}

async function readPassword({ passwordStdin }: LoginOptions): Promise<string> {
  if (!passwordStdin) return ask('Password');
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  return text.replace(/\r?\n$/, '');
}

function ask(message: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new UsageError(`${message}: there is no terminal to ask for it. Use --password-stdin and --code.`);
  return password({ message: `${message}:` }, { output: process.stderr });
}
