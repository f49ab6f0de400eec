/**
 * The cookie with the refresh token of a browser. Scripts cannot read it, and browsers send it only from pages of the gateway itself.
 * Only the routes of the browser's session read it.
 */
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problem.ts';

/** The routes of the browser's session. */
export const SESSION_PATH = '/v1/auth/browser-session';

/** A session ends earlier: auth decides. An idle session ends after this time in the browser too. */
const MAX_AGE_S = 90 * 24 * 60 * 60;

/**
 * A browser accepts a name with the prefix `__Host-` only from the host itself, over TLS, for all its paths. So neither another
 * subdomain nor a page over plain HTTP can plant a session, in which the person would then work in the attacker's name. The prefix
 * forbids a path of its own. Without TLS there is no such name, and the cookie is sent to its own routes only.
 * https://www.rfc-editor.org/rfc/rfc6265#section-8.6, https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-the-__host-prefix
 */
const NAME = 'payflowx_session';
const SECURE_NAME = `__Host-${NAME}`;

/** Undefined if the browser has no session. */
export function sessionTokenOf(request: FastifyRequest): string | undefined {
  const cookies = parseCookie(request.headers.cookie ?? '');
  const token = cookies[isSecure(request) ? SECURE_NAME : NAME];
  return token !== undefined && /^[\x21-\x7e]{1,1024}$/.test(token) ? token : undefined;
}

export function setSessionToken(request: FastifyRequest, reply: FastifyReply, token: string): void {
  setCookie(request, reply, token, MAX_AGE_S);
}

export function clearSessionToken(request: FastifyRequest, reply: FastifyReply): void {
  setCookie(request, reply, '', 0);
}

function setCookie(request: FastifyRequest, reply: FastifyReply, value: string, maxAge: number): void {
  const secure = isSecure(request);
  const cookie = stringifySetCookie({
    name: secure ? SECURE_NAME : NAME,
    value,
    path: secure ? '/' : SESSION_PATH,
    maxAge,
    httpOnly: true,
    secure,
    sameSite: 'strict',
  });
  reply.header('set-cookie', cookie);
}

/** Only plain HTTP on the own machine goes without `Secure`. Elsewhere, a browser drops the cookie of a page without TLS. */
function isSecure({ protocol, hostname }: FastifyRequest): boolean {
  return protocol === 'https' || !LOOPBACK.test(hostname);
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/;

/**
 * Refuses requests that a page of another origin sent. SameSite alone is not enough: another port of the same host is the same site.
 * Clients that are no browsers send neither header, and have no cookie of a person.
 */
export async function requireSameOrigin({ headers, host, protocol }: FastifyRequest): Promise<void> {
  const site = headers['sec-fetch-site'];
  const isForeignSite = site !== undefined && site !== 'same-origin';
  const isForeignOrigin = headers.origin !== undefined && headers.origin !== `${protocol}://${host}`;
  // Behind a proxy that is not trusted, the protocol is unknown. Sec-Fetch-Site does not depend on it.
  if (site === 'same-origin' || !(isForeignSite || isForeignOrigin)) return;
  throw new ProblemError(
    'CROSS_SITE_REQUEST',
    'A page of another origin may not use the session of the browser.',
  );
}
