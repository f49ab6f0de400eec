/** The service's own access token, renewed before it expires. */

interface OwnToken {
  token: string;
  renewAt: number;
  expiresAt: number;
}

/** A token with less remaining lifetime might expire in flight. */
const MARGIN_S = 5;

/**
 * Logs in once for all concurrent callers. After four fifths of its lifetime a token is renewed in the background. While auth is
 * unavailable, the old one is used until it expires.
 */
export function createOwnToken(
  login: () => Promise<{ token: string; expiresInS: number }>,
): () => Promise<string> {
  let current: OwnToken | undefined;
  let pending: Promise<OwnToken> | undefined;

  const renew = async (): Promise<OwnToken> => {
    // The lifetime began while the request was in flight. It is counted from the request, so that it is never overestimated.
    const askedAt = performance.now();
    const { token, expiresInS } = await login();
    current = {
      token,
      renewAt: askedAt + expiresInS * 800,
      expiresAt: askedAt + (expiresInS - MARGIN_S) * 1000,
    };
    return current;
  };
  const renewOnce = () => {
    pending ??= renew().finally(() => {
      pending = undefined;
    });
    return pending;
  };

  return async () => {
    const now = performance.now();
    if (current === undefined || now >= current.expiresAt) return (await renewOnce()).token;
    if (now >= current.renewAt) void renewOnce().catch(() => undefined);
    return current.token;
  };
}
