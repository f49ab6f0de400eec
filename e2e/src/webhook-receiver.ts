/** A receiver of webhooks that verifies each with the library of the client, as integrators do. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook, type WebhookEvent } from '@payflowx/client';
import type { Session } from './platform.ts';

/** A webhook as it was sent. */
export interface Sent {
  body: string;
  headers: IncomingHttpHeaders;
  secret: string;
}

export interface Receiver {
  endpointId: string;
  /** In the order of their arrival. */
  received: WebhookEvent[];
  /** Deletes the endpoint, too. */
  close(): Promise<void>;
}

/** Registers an endpoint for all events that this user sees. */
export async function receiveWebhooks(
  { api }: Session,
  onArrival: (sent: Sent) => void = () => {},
): Promise<Receiver> {
  const received: WebhookEvent[] = [];
  let secret = '';
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    onArrival({ body, headers: request.headers, secret });
    received.push(verifyWebhook(body, request.headers, secret));
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { data } = await api.post('/v1/webhook-endpoints', {
    body: { url: `http://127.0.0.1:${port}/`, event_types: ['*'] },
  });
  secret = data.secret;
  return {
    endpointId: data.id,
    received,
    async close() {
      await api.delete('/v1/webhook-endpoints/{id}', { params: { path: { id: data.id } } });
      server.close();
      server.closeAllConnections();
    },
  };
}
