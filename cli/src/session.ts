/** The login of a context: kept in its file, and renewed before it expires. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createPayFlowX, type PayFlowX, PayFlowXError, type Schema } from '@payflowx/client';
import { NotLoggedIn, UsageError } from './exit.ts';
import { type Context, currentName, readContext, type Session, withLock, writeContext } from './files.ts';

export interface Target {
  /** The name of the context. Undefined: the gateway comes from an option or from the environment. */
  name: string | undefined;
  context: Context;
}

export interface TargetOptions {
  context?: string | undefined;
  gateway?: string | undefined;
}

/** The context to use: of the option, of the environment, or the current one. `--gateway` overrides its gateway. */
export function targetOf({ context: given, gateway }: TargetOptions): Target {
  const name = given ?? (process.env.PAYFLOWX_CONTEXT || currentName());
  const known = name === '' ? undefined : readContext(name);
  if (given !== undefined && known === undefined) throw new UsageError(`There is no context "${given}".`);
  const url = gateway ?? process.env.PAYFLOWX_GATEWAY;
  // A login belongs to its gateway: another one must not get its token.
  if (url !== undefined && url !== known?.gateway) return { name: undefined, context: { gateway: url } };
  if (known) return { name, context: known };
  throw new UsageError('There is no context yet. Log in: payflowx login --gateway http://127.0.0.1:8080');
}

/** The client with the caller's login: an API client or a token of the environment, or the session of the context. */
export function clientOf(target: Target): PayFlowX {
  const clientId = process.env.PAYFLOWX_CLIENT_ID;
  const clientSecret = secretOf('PAYFLOWX_CLIENT_SECRET');
  const { gateway } = target.context;
  if (clientId && clientSecret) return createPayFlowX({ gateway, as: { clientId, clientSecret } });
  const accessToken = () => secretOf('PAYFLOWX_TOKEN') || currentToken(target);
  return createPayFlowX({ gateway, as: { accessToken }, retryTimeoutMs: RETRY_MS });
}

/** The variable, or the content of the file that `<name>_FILE` names. The file is read at each use: another program may renew a token. */
export function secretOf(name: string): string | undefined {
  const { [name]: value, [`${name}_FILE`]: path } = process.env;
  if (value && path) throw new UsageError(`${name} and ${name}_FILE are both set: keep one of them.`);
  if (!path) return value;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`${name}_FILE cannot be read: ${(error as Error).message}`);
  }
}

/** People wait at the terminal. */
const RETRY_MS = 30_000;
/** Renewed this long before it expires, so that it outlasts the request that carries it. */
const MARGIN_MS = 30_000;

let renewal: Promise<string> | undefined;

/** Concurrent requests of this command share one renewal. */
function currentToken(target: Target): Promise<string> | string {
  const session = target.name === undefined ? undefined : readContext(target.name)?.session;
  if (target.name === undefined || !session) throw new NotLoggedIn('You are not logged in: payflowx login');
  if (isFresh(session)) return session.accessToken;
  renewal ??= renew(target.name, target.context.gateway).finally(() => {
    renewal = undefined;
  });
  return renewal;
}

/** A refresh token is valid once, so commands that run at once renew one after the other, and the second finds the new tokens. */
async function renew(name: string, gateway: string): Promise<string> {
  return withLock(name, async () => {
    const session = readContext(name)?.session;
    if (!session) throw new NotLoggedIn('You are not logged in: payflowx login');
    return isFresh(session) ? session.accessToken : refresh(name, session, gateway);
  });
}

const isFresh = ({ expiresAt }: Session) => Date.now() < expiresAt - MARGIN_MS;

/** The key follows from the token: a command that was ended before it stored the new tokens is repeated by the next one. */
async function refresh(name: string, session: Session, gateway: string): Promise<string> {
  const key = createHash('sha256').update(session.refreshToken).digest('hex');
  try {
    const { data } = await createPayFlowX({ gateway, retryTimeoutMs: RETRY_MS }).post('/v1/auth/refresh', {
      body: { refresh_token: session.refreshToken },
      headers: { 'idempotency-key': key },
    });
    saveTokens(name, data);
    return data.access_token;
  } catch (error) {
    if (error instanceof PayFlowXError && error.status === 401)
      throw new NotLoggedIn('Your session has ended. Log in again: payflowx login');
    throw error;
  }
}

export function saveTokens(name: string, tokens: Schema<'Tokens'>): void {
  const context = readContext(name);
  if (!context) return;
  writeContext(name, { ...context, session: sessionOf(tokens) });
}

export function sessionOf({ access_token, refresh_token, expires_in }: Schema<'Tokens'>): Session {
  return {
    accessToken: access_token,
    expiresAt: Date.now() + expires_in * 1_000,
    refreshToken: refresh_token,
  };
}
