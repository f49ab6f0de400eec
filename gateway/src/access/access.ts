/**
 * Who may call which route. Each route says so itself, `config: { access: [...] }`; a route that says nothing keeps the
 * gateway from starting. The services check again: the gateway saves them work, it is no security boundary.
 */
import fastifyJwt from '@fastify/jwt';
import {
  type Caller,
  type CallSettings,
  createKnownTokens,
  isCanonical,
  isTimely,
  type KeyStore,
  type KnownTokens,
  ROLE_NAMES,
  type RoleName,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  TOKEN_TYPE,
  type TokenTimes,
  type VerifiedToken,
} from '@payflowx/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { ProblemError, toProblem, unauthenticated } from '../problems/problem.ts';

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
    payload: VerifiedJwt;
  }
}

interface VerifiedJwt {
  header: { kid: string };
  payload: TokenTimes & { sub: string; roles: unknown[] };
}

/** Names the caller of a request whose token was verified before. It costs next to nothing, so it may run before a request is admitted. */
export function recognizeCallers(app: FastifyInstance, keys: KeyStore): KnownTokens {
  const known = createKnownTokens(keys);
  app.decorateRequest('caller');
  app.addHook('onRequest', (request, _reply, done) => {
    if (needsCaller(request)) request.caller = known.get(request.headers.authorization ?? '');
    done();
  });
  return known;
}

/**
 * In three steps, so that the rate limit stands between knowing a caller and refusing one: whoever tries tokens is counted
 * by address. (The limiter counts in hooks of the routes, which run after those of the server.)
 */
export async function checkAccess(
  app: FastifyInstance,
  { keys, known }: { keys: KeyStore; known: KnownTokens },
): Promise<void> {
  await app.register(fastifyJwt, {
    secret: {
      public: (_request: FastifyRequest, token: TokenHeader) => keys.keyOf(token.header.kid ?? ''),
    } as never,
    decode: { complete: true },
    verify: {
      algorithms: ['EdDSA'],
      allowedIss: TOKEN_ISSUER,
      allowedAud: TOKEN_AUDIENCE,
      checkTyp: TOKEN_TYPE,
      requiredClaims: ['sub', 'iss', 'aud', 'iat', 'exp', 'roles'],
      // Looked at with the other times, and with more tolerance.
      ignoreNotBefore: true,
      complete: true,
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

function verifyInto(known: KnownTokens) {
  return (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
    if (request.caller || !needsCaller(request)) return done();
    verify(request)
      .then((verified) => {
        request.caller = verified.caller;
        known.add(request.headers.authorization ?? '', verified);
      })
      .catch((error) => {
        request.refusal = toProblem(error);
      })
      .then(done);
  };
}

async function verify(request: FastifyRequest): Promise<VerifiedToken> {
  const { header, payload } = await request.jwtVerify<VerifiedJwt>();
  if (!isCanonical(accessTokenOf(request)) || !isTimely(payload)) throw unauthenticated();
  const { sub, roles, iat, nbf, exp } = payload;
  const caller = { id: sub, roles: ROLE_NAMES.filter((role) => roles.includes(role)) };
  return { caller, kid: header.kid, iat, nbf, exp };
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
export function asCaller(request: FastifyRequest): CallSettings {
  return { deadline: request.deadline, accessToken: accessTokenOf(request) };
}

/** Only where the caller was verified; so the header is "Bearer …". */
export function accessTokenOf({ headers }: FastifyRequest): string {
  return (headers.authorization ?? '').slice('Bearer '.length);
}
