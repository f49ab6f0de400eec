/** A receiver of webhooks: a real HTTP server that answers as a test says. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  path: string;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** Open connections. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Without `answer`, each request is answered 200. `count` counts the requests from 1. */
export async function startReceiver(
  answer: (response: ServerResponse, count: number, request: Received) => unknown = (response) =>
    response.end('ok'),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const seen = { headers: request.headers, body, path: request.url ?? '' };
    received.push(seen);
    answer(response, received.length, seen);
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    connections: () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
