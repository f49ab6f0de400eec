/** A logged-in user. Renews the access token, because it lives for minutes and a run may take longer. */
import type { Rest } from './rest.ts';

export interface Session {
  /** The value of the header `authorization`, always valid. */
  authorization(): string;
  close(): void;
}

interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
}

/** Renewed after this share of its life. */
const RENEW_AT = 0.6;
const RETRY_MS = 2_000;

export async function logIn(
  rest: Rest,
  { username, password }: { username: string; password: string },
): Promise<Session> {
  const ask = async (path: string, body: object): Promise<Tokens> => {
    const answer = await rest.post(path, body);
    if (answer.status !== 200) throw new Error(`${path} for ${username}: ${answer.status} ${answer.text}`);
    return answer.json();
  };
  let tokens = await ask('/v1/auth/login', { username, password });
  let authorization = `Bearer ${tokens.access_token}`;
  let timer: NodeJS.Timeout;

  async function renew(): Promise<void> {
    try {
      tokens = await ask('/v1/auth/refresh', { refresh_token: tokens.refresh_token });
      authorization = `Bearer ${tokens.access_token}`;
      schedule(tokens.expires_in * 1000 * RENEW_AT);
    } catch {
      // No service answers while the platform restarts. A refresh token whose response was lost is used up, so log in again.
      await ask('/v1/auth/login', { username, password }).then(
        (fresh) => {
          tokens = fresh;
          authorization = `Bearer ${fresh.access_token}`;
          schedule(fresh.expires_in * 1000 * RENEW_AT);
        },
        () => schedule(RETRY_MS),
      );
    }
  }

  function schedule(ms: number): void {
    timer = setTimeout(() => void renew(), ms).unref();
  }

  schedule(tokens.expires_in * 1000 * RENEW_AT);
  return { authorization: () => authorization, close: () => clearTimeout(timer) };
}
