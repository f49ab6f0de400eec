/** A tiny HTTP server that responds as the test says and records the requests. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  method: string;
  path: string;
  key: string | undefined;
  /** The header If-Match. */
  version: string | undefined;
  token: string | undefined;
  body: unknown;
}

export interface Told {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** The response. Undefined cuts the connection without a response. */
type Script = (asked: Asked, count: number) => Told | undefined;

export interface Platform extends AsyncDisposable {
  gateway: string;
  asked: Asked[];
}

export async function platform(script: Script): Promise<Platform> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const question = await read(request);
    asked.push(question);
    const told = script(question, asked.length);
    if (!told) return request.socket.destroy();
    const { status = 200, headers = {}, body = {} } = told;
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    gateway: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    key: request.headers['idempotency-key'] as string | undefined,
    version: request.headers['if-match'],
    token: request.headers.authorization?.slice('Bearer '.length),
    body: text === '' ? undefined : JSON.parse(text),
  };
}
