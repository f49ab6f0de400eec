/** What a client is told when it is made. */

export interface Connection {
  /** Where the gateway is, such as `http://127.0.0.1:8080`. */
  gateway: string;
  /** Whose name the requests are made in. Without it, only what is open to anyone can be asked for. */
  as?: Identity;
  /** How long one request may take. Default: 20 s. */
  timeoutMs?: number;
  /** How long to go on trying for a definite answer. 0: try once. Default: 60 s. */
  patienceMs?: number;
  /** The fetch to use instead of the platform's own. */
  fetch?: Fetch;
}

/** A person, an API client, or whoever a token from elsewhere stands for. */
export type Identity = Credentials | ClientCredentials | AccessToken;

export interface Credentials {
  username: string;
  password: string;
}

export interface ClientCredentials {
  clientId: string;
  clientSecret: string;
}

/** A token that comes from elsewhere. It is asked for again when the platform no longer takes it. */
export interface AccessToken {
  accessToken: () => string | Promise<string>;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export const DEFAULTS = { timeoutMs: 20_000, patienceMs: 60_000 };
