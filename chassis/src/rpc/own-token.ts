/** Our own access token, renewed before it expires. */

interface OwnToken {
  token: string;
  renewAt: number;
  expiresAt: number;
}

/** A token this close to its end would expire on the way. */
const MARGIN_S = 5;

/**
 * Logs in once for all who wait. When four fifths of a token's life are over it is renewed on the side: while auth is away
 * the old one goes on being used for as long as it is good.
 */
export function createOwnToken(
  login: () => Promise<{ token: string; expiresInS: number }>,
): () => Promise<string> {
  let current: OwnToken | undefined;
  let pending: Promise<OwnToken> | undefined;

  const renew = async (): Promise<OwnToken> => {
    // Its life began while we waited for the answer: counted from the question, it is never taken for longer than it is.
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
