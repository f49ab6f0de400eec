/** Logins of machines: an API client gets an access token for its secret, or for an assertion that it has signed. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { Neighbours } from '../clients/neighbours.ts';
import { ASSERTION_TYPE, acceptForms, readBasicCredentials, TOKEN_REQUEST_TYPES } from '../http/oauth.ts';
import { limitLogins } from '../http/protection.ts';
import { ProblemError } from '../problems/problem.ts';
import { problem } from '../schemas/answers.ts';
import { named, ref } from '../schemas/named.ts';

const ClientCredentials = named(
  'ClientCredentials',
  Type.Object(
    {
      client_id: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 64,
          pattern: '^[\\x21-\\x7e]+$',
          description: 'Needed with `client_secret`. An assertion names its client.',
          examples: ['cli_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
        }),
      ),
      client_secret: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 256,
          pattern: '^[\\x21-\\x7e]+$',
          description: 'The secret may also be sent with the id in the header `Authorization: Basic …`.',
          examples: ['dGhpcyBpcyBub3QgYSBzZWNyZXQ'],
        }),
      ),
      client_assertion_type: Type.Optional(
        Type.String({ enum: [ASSERTION_TYPE], description: 'The type of `client_assertion`.' }),
      ),
      client_assertion: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 8192,
          pattern: '^[A-Za-z0-9._=-]+$',
          description:
            'In place of a secret: a JWT that the client has signed with a registered key (`private_key_jwt`, RFC 7523). `iss` and `sub` are the client’s id, `aud` is the address of this platform, with or without `/v1/auth/token`, `exp` is at most 5 minutes after `iat`, and each `jti` is accepted once.',
          examples: ['eyJhbGciOiJFUzI1NiJ9.e30.c2ln'],
        }),
      ),
      scope: Type.Optional(
        Type.String({
          maxLength: 1024,
          pattern: '^[\\x20-\\x7e]*$',
          description:
            'Scopes separated by blanks, for a token with fewer scopes than the client. Default: all.',
          examples: ['accounts:read'],
        }),
      ),
      grant_type: Type.Optional(
        Type.String({
          enum: ['client_credentials'],
          description: 'The only supported grant type. Needed in form encoding.',
        }),
      ),
    },
    {
      additionalProperties: false,
      anyOf: [
        { required: ['client_id', 'client_secret'] },
        { required: ['client_assertion', 'client_assertion_type'] },
      ],
      examples: [
        {
          client_id: 'cli_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
          client_secret: 'dGhpcyBpcyBub3QgYSBzZWNyZXQ',
        },
      ],
    },
  ),
);

const MachineToken = named(
  'MachineToken',
  Type.Object({
    access_token: Type.String({
      description: 'A JWT (RFC 9068) with the id and the roles of the user that the client acts for.',
      examples: ['eyJhbGciOiJFZERTQSJ9.e30.c2ln'],
    }),
    token_type: Type.String({ examples: ['Bearer'] }),
    expires_in: Type.Integer({ description: 'Seconds until the token expires.', examples: [300] }),
    scope: Type.String({
      description: 'The scopes of the token, separated by blanks.',
      examples: ['accounts:read payments:write'],
    }),
  }),
);

const OauthError = named(
  'OauthError',
  Type.Object(
    {
      error: Type.Unsafe<string>({
        type: 'string',
        enum: ['invalid_request', 'invalid_client', 'invalid_scope', 'unsupported_grant_type'],
      }),
      error_description: Type.String({ description: 'The error of this request, for people to read.' }),
      request_id: Type.String({ description: 'The id of this request, as in `x-request-id`.' }),
    },
    { description: 'An error of a request in form encoding (RFC 6749, 5.2).' },
  ),
);

export const machineTokenSchemas = [ClientCredentials, MachineToken, OauthError];

/** The platform's own services log in too, but never through the gateway. */
const PUBLIC_CLIENT = /^cli_/;

/** The same errors for JSON and, in the form of RFC 6749, for form encoding. */
function refusal(codes: Parameters<typeof problem>[0], description: string): never {
  const { content, ...rest } = problem(codes, description) as { content: object };
  return { ...rest, content: { ...content, 'application/json': { schema: ref(OauthError) } } } as never;
}

interface Options {
  auth: Neighbours['auth'];
  loginsPerMinute: number;
}

export const machineTokenRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { auth, loginsPerMinute },
) => {
  acceptForms(app as never);
  app.post('/v1/auth/token', {
    config: { access: 'anyone' },
    preValidation: readBasicCredentials,
    preHandler: limitLogins(app, { perMinute: loginsPerMinute, nameOf: clientIdOf }),
    schema: {
      tags: ['auth'],
      operationId: 'loginClient',
      summary: 'Log in as an API client (the client-credentials grant of RFC 6749, in JSON or form encoding)',
      description:
        'With a secret, or with an assertion that the client has signed (`private_key_jwt`, RFC 7523). Errors of requests in form encoding have the form of RFC 6749, section 5.2; unknown parameters are ignored in that encoding.',
      consumes: TOKEN_REQUEST_TYPES,
      body: ref(ClientCredentials),
      response: {
        200: ref(MachineToken),
        400: refusal(['INVALID_SCOPE'], 'The client does not have one of the scopes.'),
        401: refusal(
          ['INVALID_CREDENTIALS', 'INVALID_CLIENT_ASSERTION'],
          '`INVALID_CREDENTIALS`: an unknown client, a revoked one, a wrong secret and a wrong signature get the same response. `INVALID_CLIENT_ASSERTION`: `detail` says what is wrong.',
        ),
      },
    },
    handler: async ({ body, deadline }) => {
      const { client_id = '', client_secret = '', client_assertion = '', scope = '' } = body;
      if (client_id !== '' && !PUBLIC_CLIENT.test(client_id)) {
        throw new ProblemError('INVALID_CREDENTIALS', 'The name or the password is wrong.');
      }
      const message = {
        clientId: client_id,
        clientSecret: client_secret,
        clientAssertion: client_assertion,
        scope,
      };
      const token = await auth.loginClient(message, { deadline });
      return {
        access_token: token.accessToken,
        token_type: token.tokenType,
        expires_in: token.expiresIn,
        scope: token.scope ?? '',
      };
    },
  });
};

/** The client that a request names, also without a proof. Only the rate limit uses it. */
function clientIdOf({ client_id, client_assertion = '' }: Static<typeof ClientCredentials>): string {
  if (client_id !== undefined) return client_id;
  try {
    const claims: unknown = JSON.parse(
      Buffer.from(client_assertion.split('.')[1] ?? '', 'base64url').toString(),
    );
    return String((claims as { iss?: unknown } | null)?.iss).slice(0, 64);
  } catch {
    return '';
  }
}
