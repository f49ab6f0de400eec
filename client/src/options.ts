/** The options of a client. */

export interface Connection {
  /** URL of the gateway, such as `http://127.0.0.1:8080`. */
  gateway: string;
  /** The caller's credentials. Without them, only public routes work. */
  as?: Identity;
  /** Milliseconds that one request may take. Default: 20 s. */
  timeoutMs?: number;
  /** Milliseconds to retry until the outcome is known. 0: no retry. Default: 60 s. */
  retryTimeoutMs?: number;
  /** Replaces the global `fetch`. */
  fetch?: Fetch;
}

/** A user, an API client, or a function that returns a token from elsewhere. */
export type Identity = Credentials | ClientCredentials | AccessToken;

export interface Credentials {
  username: string;
  password: string;
}

export interface ClientCredentials {
  clientId: string;
  clientSecret: string;
}

/** Returns a token from elsewhere. Called again if the platform refuses the token. */
export interface AccessToken {
  accessToken: () => string | Promise<string>;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export const DEFAULTS = { timeoutMs: 20_000, retryTimeoutMs: 60_000 };
