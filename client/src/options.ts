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

/** A user, an API client with a secret or with a key, or a function that returns a token from elsewhere. */
export type Identity = Credentials | ClientCredentials | KeyCredentials | AccessToken;

export interface Credentials {
  username: string;
  password: string;
}

export interface ClientCredentials {
  clientId: string;
  clientSecret: string;
}

/** A `CryptoKey` of Web Crypto, whose type differs between Node and browsers. */
export interface SigningKey {
  readonly type: string;
  readonly algorithm: { readonly name: string };
}

/** An API client whose public key is registered. The private key never leaves the program. */
export interface KeyCredentials {
  clientId: string;
  /** For signatures: ECDSA with P-256, Ed25519, RSA-PSS or RSASSA-PKCS1-v1_5 with SHA-256. */
  privateKey: SigningKey;
  /** The `kid` of the registered key. Without it, the platform tries all keys of the client. */
  keyId?: string;
  /** The address that the platform has for itself, if the program reaches it by another one. */
  audience?: string;
}

/** Returns a token from elsewhere. Called again, with the refused token, if the platform refuses it. */
export interface AccessToken {
  accessToken: (refused?: string) => string | Promise<string>;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export const DEFAULTS = { timeoutMs: 20_000, retryTimeoutMs: 60_000 };
