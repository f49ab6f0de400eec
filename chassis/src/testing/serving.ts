/** Starts gRPC servers on free ports, and fakes of other services with only the methods that a test uses. */
import type { Access } from '../rpc/access.ts';
import { type ServiceMethods, serviceOf } from '../rpc/client.ts';
import type { ErrorTable } from '../rpc/errors.ts';
import type { TokenVerifier } from '../rpc/identity.ts';
import { type BoundService, bindService, type Handlers, serveGrpc } from '../rpc/server.ts';
import { type TestService, testCertificates } from './certificates.ts';
import { testLog } from './log.ts';

/** The key of a tested service, the same for all of its instances. */
export const testPageTokenKey = Buffer.alloc(32, 'page tokens');

export interface TestServer {
  /** The gRPC target for clients. */
  target: string;
  stop(): Promise<void>;
}

/** Serves fakes with the certificate of the service that has these contracts. Page tokens reach the caller as they are. */
export async function startTestServer(
  verifier: TokenVerifier,
  services: BoundService[],
): Promise<TestServer> {
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    certificates: testCertificates(serviceOf(fakedBy(services)) as TestService),
    verifier,
    pageTokenKey: undefined,
    log: testLog,
  };
  const { port, drain } = await serveGrpc(settings, services);
  return { target: `ipv4:127.0.0.1:${port}`, stop: drain };
}

/** The full name of the first contract. */
function fakedBy([service]: BoundService[]): string {
  return Object.values(service?.definition ?? {})[0]?.path.split('/')[1] ?? '';
}

/** The part of a contract that these handlers implement. A call to any other method is UNIMPLEMENTED. */
export function fakeService<S extends ServiceMethods, K extends keyof S & string>(
  definition: S,
  handlers: Pick<Handlers<S>, K>,
  {
    access = 'anyone',
    errors = { domain: 'fake', codeOf: () => undefined },
  }: { access?: Access; errors?: ErrorTable } = {},
): BoundService {
  const names = Object.keys(handlers) as K[];
  const each = <T>(of: (name: K) => T) => Object.fromEntries(names.map((name) => [name, of(name)]));
  const parts = { access: each(() => access), errors, handlers };
  return bindService(each((name) => definition[name]) as ServiceMethods, parts as never);
}
