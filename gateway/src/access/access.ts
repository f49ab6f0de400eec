/**
 * Access rules of the routes. Each route lists its callers in `config: { access: [...] }`; without that list the gateway does not
 * start. The services check again: the gateway saves them work, but it is no security boundary.
 */
import fastifyJwt from '@fastify/jwt';
import {
  type Caller,
  type CallSettings,
  callerOf,
  createKnownTokens,
  isCanonical,
  isTimely,
  type KeyStore,
  type KnownTokens,
  type Revocations,
  type RoleName,
  requireScope,
  requireSetup,
  type Scope,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  TOKEN_TYPE,
  type TokenTimes,
  type VerifiedToken,
} from '@payflowx/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { ProblemError, toProblem, unauthenticated } from '../problems/problem.ts';

/** Roles of users and their API clients. Services do not call the REST API. */
export type Access = 'anyone' | readonly RoleName[];

/** All roles that see accounts and payments: their own, or those of all users. An admin sees none. */
export const EVERY_ROLE = ['customer', 'operator', 'auditor'] as const satisfies Access;

/** All roles of people. */
export const PEOPLE = [...EVERY_ROLE, 'admin'] as const satisfies Access;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** The scope that an API client needs, besides the role. Undefined: the route is closed to API clients. */
    scope?: Scope;
    /** Also for people who may do nothing else until they have set up a second factor. */
    setup?: true;
    /** The service needs a login of a short time ago. Only for the document: the service checks it. */
    recentLogin?: true;
  }
  interface FastifyRequest {
    caller: Caller | undefined;
    /** The reason why `caller` is undefined, if the request has a bad token or lacks a needed one. */
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
  payload: TokenTimes & { sub: string };
}

/** Sets the caller of a request if its token was verified before. This is cheap, so it may run before a request is admitted. */
export function identifyCallers(
  app: FastifyInstance,
  { keys, revocations }: { keys: KeyStore; revocations: Revocations },
): KnownTokens {
  const known = createKnownTokens(keys, revocations);
  app.decorateRequest('caller');
  app.addHook('onRequest', (request, _reply, done) => {
    if (needsCaller(request)) request.caller = known.get(request.headers.authorization ?? '');
    done();
  });
  return known;
}

/**
 * Checks access in three steps, so that the rate limit runs after a caller is identified and before one is refused. Requests with
 * bad tokens then count by address. (The limiter runs in hooks of the routes, after the hooks of the server.)
 */
export async function checkAccess(
  app: FastifyInstance,
  { keys, known, revocations }: { keys: KeyStore; known: KnownTokens; revocations: Revocations },
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
      // `isTimely` checks it together with the other times, with more tolerance.
      ignoreNotBefore: true,
      complete: true,
    },
  });
  app.decorateRequest('refusal');
  requireDeclaredAccess(app);
  app.addHook('onRequest', createVerifyHook(known, revocations));
  app.addHook('preParsing', async (request) => authorize(request));
}

type TokenHeader = { header: { kid?: string } };

function requireDeclaredAccess(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  // The check runs in onReady, because a plugin's own hooks may complete the declaration.
  app.addHook('onReady', async () => {
    const undeclared = routes.flatMap(({ method, url, config }) =>
      config?.access ? [] : `${method} ${url}`,
    );
    if (undeclared.length > 0) throw new Error(`Routes without config.access: ${undeclared.join(', ')}`);
  });
}

function needsCaller({ is404, routeOptions }: FastifyRequest): boolean {
  return !is404 && routeOptions.config.access !== 'anyone';
}

function createVerifyHook(known: KnownTokens, revocations: Revocations) {
  return (request: FastifyRequest, _reply: FastifyReply, done: () => void) => {
    if (request.caller || !needsCaller(request)) return done();
    verify(request)
      .then((verified) => {
        if (revocations.isRevoked(verified)) throw unauthenticated();
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
  const { iat, nbf, exp } = payload;
  return { caller: callerOf(payload), kid: header.kid, iat, nbf, exp };
}

function authorize({ is404, caller, refusal, routeOptions }: FastifyRequest): void {
  const { access, scope, setup = false } = routeOptions.config;
  if (is404 || access === 'anyone') return;
  if (refusal) throw refusal;
  if (!caller) throw unauthenticated();
  if (caller.restrictedTo === undefined) requireRole(caller, access);
  else requireSetup(caller, setup);
  requireScope(caller, scope);
}

function requireRole(caller: Caller, access: readonly RoleName[] | undefined): void {
  if (caller.roles.some((role) => access?.includes(role))) return;
  throw new ProblemError('ROLE_NOT_ALLOWED', `This request needs one of the roles ${access?.join(', ')}.`);
}

/** False if the token of the request, which was valid when the request came, has been revoked since. Expiry is not checked. */
export type IsTokenValid = (request: FastifyRequest) => boolean;

/** For requests that last longer than the check of their token. */
export function tokenCheck({
  keys,
  revocations,
}: {
  keys: KeyStore;
  revocations: Revocations;
}): IsTokenValid {
  return (request) => {
    const { caller } = request;
    if (!caller) return false;
    const [header, payload] = accessTokenOf(request).split('.').map(decodedPart);
    return keys.has(String(header?.kid)) && !revocations.isRevoked({ caller, iat: payload?.iat });
  };
}

function decodedPart(part: string, index: number): { kid?: unknown; iat?: unknown } | undefined {
  return index < 2 ? JSON.parse(Buffer.from(part, 'base64url').toString()) : undefined;
}

/** Call settings that pass on the caller's own token. The service verifies it again. */
export function asCaller(request: FastifyRequest): CallSettings {
  return { deadline: request.deadline, accessToken: accessTokenOf(request) };
}

/** The token of a request with a verified caller. Its header therefore starts with "Bearer ". */
export function accessTokenOf({ headers }: FastifyRequest): string {
  return (headers.authorization ?? '').slice('Bearer '.length);
}
