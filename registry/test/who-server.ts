/** A real gRPC server that returns its name, has the standard health service, and can be made to fail; and its client. */

import {
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { PATIENCE_MS } from './patience.ts';

const toBytes = (text: string): Buffer => Buffer.from(text);
const fromBytes = (bytes: Buffer): string => bytes.toString();

const WHO_PATH = '/payflowx.registry.test.Who/WhoAreYou';

const WHO_SERVICE: ServiceDefinition = {
  whoAreYou: {
    path: WHO_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: toBytes,
    requestDeserialize: fromBytes,
    responseSerialize: toBytes,
    responseDeserialize: fromBytes,
  },
};

export interface WhoServer {
  name: string;
  port: number;
  /** Makes the next calls fail with UNAVAILABLE. */
  failNext(calls: number): void;
  /** Sets the status of the health service. */
  setHealthy(healthy: boolean): void;
  /** Breaks all connections, as a crash does. */
  crash(): void;
}

export async function serveWho(name: string): Promise<WhoServer> {
  let failing = 0;
  const whoAreYou: UntypedHandleCall = (
    _call: unknown,
    callback: (error: object | null, answer?: string) => void,
  ) => {
    if (failing > 0) {
      failing -= 1;
      callback({ code: status.UNAVAILABLE, details: 'told to fail' });
    } else {
      callback(null, name);
    }
  };
  const server = new Server();
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(server);
  server.addService(WHO_SERVICE, { whoAreYou });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    name,
    port,
    failNext: (calls) => {
      failing = calls;
    },
    setHealthy: (healthy) => health.setStatus('', healthy ? 'SERVING' : 'NOT_SERVING'),
    crash: () => server.forceShutdown(),
  };
}

export interface WhoClient {
  /** Returns the name of the server that answered. Rejects with grpc-js's ServiceError. */
  ask(options?: { deadlineMs?: number; waitForReady?: boolean }): Promise<string>;
  /** Makes this number of calls in sequence and returns the servers' names, without duplicates, sorted. */
  askMany(calls: number): Promise<string[]>;
  close(): void;
}

export function connectWho(target: string, options: ChannelOptions = {}): WhoClient {
  const client = new Client(target, credentials.createInsecure(), options);

  function ask({ deadlineMs = PATIENCE_MS, waitForReady = false } = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const metadata = new Metadata({ waitForReady });
      const deadline = Date.now() + deadlineMs;
      const answered = (error: ServiceError | null, answer = '') => (error ? reject(error) : resolve(answer));
      client.makeUnaryRequest(WHO_PATH, toBytes, fromBytes, 'who are you?', metadata, { deadline }, answered);
    });
  }

  async function askMany(calls: number): Promise<string[]> {
    const names = new Set<string>();
    for (let call = 0; call < calls; call += 1) names.add(await ask());
    return [...names].sort();
  }

  return { ask, askMany, close: () => client.close() };
}

/** Calls continuously in the background, and returns the errors at the end. */
export function startTraffic(client: WhoClient): { stop(): Promise<{ answered: number; errors: Error[] }> } {
  const errors: Error[] = [];
  const stopping = new AbortController();
  let answered = 0;
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await client.ask().then(
        () => {
          answered += 1;
        },
        (error: Error) => errors.push(error),
      );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const done = run();
  return {
    async stop() {
      stopping.abort();
      await done;
      return { answered, errors };
    },
  };
}
