/** A fake of auth for a service in its own process: the keys of the tests' tokens. */
import { AuthServiceService } from '@payflowx/proto/auth';
import type { TestIdentity } from './identity.ts';
import { fakeService, startTestServer, type TestServer } from './serving.ts';

export function startTestAuth({ jwks, verifier }: TestIdentity): Promise<TestServer> {
  const service = fakeService(AuthServiceService, { getJwks: async () => ({ keys: [...jwks] }) });
  return startTestServer(verifier, [service]);
}
