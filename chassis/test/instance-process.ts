/** One instance of a service in its own process, which a test stops and continues. It reports its port when it serves. */
import { AuthServiceService, User } from '@payflowx/proto/auth';
import { bindService, errorTable, type Handlers, ReasonedError, serveGrpc } from '../src/index.ts';
import { createTestIdentity, testCertificates, testLog } from '../src/testing/index.ts';

class NoError extends ReasonedError<'NONE'> {}

let logins = 0;
/** Resolved unless the test has sent 'stall'. Then responses wait for 'answer', while the process as a whole is healthy. */
let stall = Promise.withResolvers<void>();
stall.resolve();
process.on('message', (message) => {
  if (message === 'stall') stall = Promise.withResolvers();
  if (message === 'answer') stall.resolve();
});
const user = User.decode(new Uint8Array());
const handlers: Partial<Handlers<typeof AuthServiceService>> = {
  /** Number of logins. */
  getMe: async () => {
    await stall.promise;
    return { user: { ...user, id: String(logins), username: process.env.INSTANCE ?? '' } };
  },
  /** A large response. */
  getJwks: async () => ({ keys: [{ kid: 'x'.repeat(300_000), kty: '', crv: '', x: '', use: '', alg: '' }] }),
  login: async () => {
    logins += 1;
    return {} as never;
  },
};

const service = bindService(AuthServiceService, {
  access: Object.fromEntries(Object.keys(AuthServiceService).map((method) => [method, 'anyone'])) as never,
  errors: errorTable('auth', NoError, { NONE: 2 }),
  handlers: handlers as Handlers<typeof AuthServiceService>,
});
const { verifier } = createTestIdentity();
const server = await serveGrpc(
  {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    pageTokenKey: undefined,
    certificates: testCertificates('auth'),
    verifier,
    log: testLog,
  },
  [service],
);
process.send?.({ port: server.port });
process.once('disconnect', () => process.exit());
