/** A fake of auth for a service in its own process: keys, and a token in the service's name. */
import { AuthServiceService } from '@payflowx/proto/auth';
import type { TestIdentity } from './identity.ts';
import { fakeService, startTestServer, type TestServer } from './serving.ts';

export function startTestAuth({ jwks, tokenFor, verifier }: TestIdentity): Promise<TestServer> {
  const service = fakeService(AuthServiceService, {
    getJwks: async () => ({ keys: [...jwks] }),
    loginClient: async ({ clientId }) => ({
      accessToken: await tokenFor({ id: clientId, roles: ['service'] }),
      tokenType: 'Bearer',
      expiresIn: 300,
    }),
  });
  return startTestServer(verifier, [service]);
}
