/** Verifies webhooks by Standard Webhooks (https://www.standardwebhooks.com), and types their events. */
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import type { Schema } from './document-types.ts';

interface Envelope<Type extends string, Data> {
  /** The same for every attempt. Skip an id that you have processed. */
  id: string;
  type: Type;
  created_at: string;
  api_version: string;
  data: Data;
}

/** A step of a payment, with the payment as it was after the step. */
export type PaymentStepEvent = {
  [Type in
    | 'payment.authorized'
    | 'payment.captured'
    | 'payment.completed'
    | 'payment.failed'
    | 'payment.cancelled'
    | 'payment.expired']: Envelope<Type, { payment: Schema<'Payment'> }>;
}[
  | 'payment.authorized'
  | 'payment.captured'
  | 'payment.completed'
  | 'payment.failed'
  | 'payment.cancelled'
  | 'payment.expired'];

export type PaymentRefundedEvent = Envelope<
  'payment.refunded',
  { payment: Schema<'Payment'>; refund: Schema<'Refund'> }
>;

export type EndpointEvent =
  | Envelope<'webhook_endpoint.test', { webhook_endpoint: Schema<'WebhookEndpoint'> }>
  | Envelope<'webhook_endpoint.disabled', { webhook_endpoint: Schema<'WebhookEndpoint'> }>;

/** Every event, discriminated by `type`. Newer versions of the platform may send further types. */
export type WebhookEvent = PaymentStepEvent | PaymentRefundedEvent | EndpointEvent;

/** The webhook is not from the platform, was changed, or is too old. Answer with 4xx, and do nothing else. */
export class WebhookRefused extends Error {
  override readonly name = 'WebhookRefused';
}

/** The headers of a request: those of Node, of `fetch`, or any object. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

/**
 * Returns the event if its signature is right and it is at most five minutes old. Throws WebhookRefused otherwise.
 *
 * `payload` is the body as it arrived, not parsed and written again. With several secrets one must fit: use it while a secret is rotated.
 */
export function verifyWebhook(
  payload: string | Buffer,
  headers: WebhookHeaders,
  secrets: string | readonly string[],
): WebhookEvent {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const given = Object.fromEntries(names.map((name) => [name, headerOf(headers, name)]));
  for (const secret of [secrets].flat()) {
    try {
      return new Webhook(secret).verify(payload, given) as WebhookEvent;
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
    }
  }
  throw new WebhookRefused('The signature of the webhook is not valid, or the webhook is too old.');
}

function headerOf(headers: WebhookHeaders, name: string): string {
  if (headers instanceof Headers) return headers.get(name) ?? '';
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return [found ?? ''].flat().join(' ');
}
