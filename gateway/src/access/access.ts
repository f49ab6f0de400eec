/**
 * Who may call which route. Each route says so itself, `config: { access: [...] }`; a route that says nothing keeps the
 * gateway from starting. The services check again: the gateway saves them work, it is no security boundary.
 */
import fastifyJwt from '@fastify/jwt';
import {
  type Caller,
  type CallSettings,
  ROLE_NAMES,
  type RoleName,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  TOKEN_TYPE,
} from '@payflowx/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { ProblemError, toProblem, unauthenticated } from '../problems/problem.ts';
import { createKnownCallers, type KnownCallers } from './known-callers.ts';

/** Roles of people and their programs; services do not come through REST. */
export type Access = 'anyone' | readonly Exclude<RoleName, 'service'>[];

export const EVERY_ROLE = ['customer', 'operator', 'auditor'] as const satisfies Access;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    caller: Caller | undefined;
    /** Why there is no caller, where a token was given or needed. */
    refusal: ProblemError | undefined;
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string; roles: unknown[] };
  }
}

const KNOWN_TOKENS = 10_000;

/** Names the caller of a request whose token was verified before. It costs next to nothing, so it may run before a request is admitted. */
export function recognizeCallers(app: FastifyInstance): KnownCallers {
  const known = createKnownCallers(KNOWN_TOKENS);
  app.decorateRequest('caller');
  app.addHook('onRequest', (request, _reply, done) => {
    if (needsCaller(request)) request.caller = known.get(request.headers.authorization ?? '');
    done();
  });
  return known;
}

/** PEM of the public key that a token's `kid` names. Rejects for an unknown one. */
export type KeyOf = (kid: string) => Promise<string>;

/**
 * In three steps, so that the rate limit stands between knowing a caller and refusing one: whoever tries tokens is counted
 * by address. (The limiter counts in hooks of the routes, which run after those of the server.)
 */
export async function checkAccess(
  app: FastifyInstance,
  { keyOf, known }: { keyOf: KeyOf; known: KnownCallers },
): Promise<void> {
  await app.register(fastifyJwt, {
    secret: {
      public: (_request: FastifyRequest, token: TokenHeader) => keyOf(token.header.kid ?? ''),
    } as never,
    decode: { complete: true },
    verify: {
      algorithms: ['EdDSA'],
      allowedIss: TOKEN_ISSUER,
      allowedAud: TOKEN_AUDIENCE,
      checkTyp: TOKEN_TYPE,
      requiredClaims: ['sub', 'exp', 'roles'],
    },
  });
  app.decorateRequest('refusal');
  requireDeclaration(app);
  app.addHook('onRequest', verifyInto(known));
  app.addHook('preParsing', async (request) => admit(request));
}

type TokenHeader = { header: { kid?: string } };

function requireDeclaration(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  // Only now, because a plugin's own hooks may have completed the declaration.
  app.addHook('onReady', async () => {
    const undeclared = routes.flatMap(({ method, url, config }) =>
      config?.access ? [] : `${method} ${url}`,
    );
    if (undeclared.length > 0)
      throw new Error(`Routes that do not say who may call them: ${undeclared.join(', ')}`);
  });
}

function needsCaller({ is404, routeOptions }: FastifyRequest): boolean {
  return !is404 && routeOptions.config.access !== 'anyone';
}

function verifyInto(known: KnownCallers) {
  return (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
    if (request.caller || !needsCaller(request)) return done();
    verify(request)
      .then(({ caller, exp }) => {
        request.caller = caller;
        known.add(request.headers.authorization ?? '', caller, exp);
      })
      .catch((error) => {
        request.refusal = toProblem(error);
      })
      .then(done);
  };
}

async function verify(request: FastifyRequest): Promise<{ caller: Caller; exp: number }> {
  const { sub, roles, exp } = await request.jwtVerify<{ sub: string; roles: unknown[]; exp: number }>();
  return { caller: { id: sub, roles: ROLE_NAMES.filter((role) => roles.includes(role)) }, exp };
}

function admit({ is404, caller, refusal, routeOptions }: FastifyRequest): void {
  const { access } = routeOptions.config;
  if (is404 || access === 'anyone') return;
  if (refusal) throw refusal;
  if (!caller) throw unauthenticated();
  if (!caller.roles.some((role) => (access as readonly RoleName[] | undefined)?.includes(role))) {
    throw new ProblemError('ROLE_NOT_ALLOWED', `This needs one of the roles ${access?.join(', ')}.`);
  }
}

/** For calls to neighbours in the caller's own name: they verify the same token again. */
export function asCaller(request: FastifyRequest, deadlineMs = READ_DEADLINE_MS): CallSettings {
  return { deadlineMs, accessToken: accessTokenOf(request) };
}

export const READ_DEADLINE_MS = 5_000;
export const WRITE_DEADLINE_MS = 10_000;

/** Only where the caller was verified; so the header is "Bearer …". */
export function accessTokenOf({ headers }: FastifyRequest): string {
  return (headers.authorization ?? '').slice('Bearer '.length);
}
