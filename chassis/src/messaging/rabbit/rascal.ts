/** Types for the used parts of Rascal 21 and of amqplib below it. Rascal publishes no types. */
import { createRequire } from 'node:module';

export interface RascalMessage {
  fields: { routingKey: string; redelivered: boolean };
  properties: { messageId?: string; type?: string; correlationId?: string; headers: Record<string, unknown> };
  content: Buffer;
}

/** Acknowledges without an argument. With an error it nacks without requeueing, so that the broker dead-letters the message. */
export type AckOrNack = (error?: Error, recovery?: { strategy: 'nack'; requeue: boolean }) => void;

export interface RascalSubscription {
  on(
    event: 'message',
    listener: (message: RascalMessage, content: unknown, ackOrNack: AckOrNack) => void,
  ): this;
  on(
    event: 'invalid_content' | 'redeliveries_exceeded' | 'redeliveries_error',
    listener: (error: Error, message: RascalMessage, ackOrNack: AckOrNack) => void,
  ): this;
  on(event: 'error' | 'cancelled', listener: (error: Error) => void): this;
  on(event: 'close' | 'subscribed', listener: () => void): this;
  /** Accepts no new messages. Resolves when everything is acknowledged, or at the close timeout. */
  cancel(): Promise<void>;
}

export interface RascalBroker {
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'blocked', listener: (reason: string) => void): this;
  on(event: 'unblocked' | 'vhost_initialised' | 'disconnect', listener: () => void): this;
  subscribe(name: string): Promise<RascalSubscription>;
  /** A plain amqplib connection with Rascal's configuration. The caller handles its errors and closes it. */
  connect(vhost: string): Promise<AmqpConnection>;
  shutdown(): Promise<void>;
}

export interface AmqpConnection {
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'close', listener: () => void): this;
  on(event: 'blocked', listener: (reason: string) => void): this;
  on(event: 'unblocked', listener: () => void): this;
  createConfirmChannel(done: (error: Error | null, channel: ConfirmChannel) => void): void;
  close(done: (error?: Error) => void): void;
}

export interface AmqpProperties {
  messageId?: string;
  type?: string;
  correlationId?: string;
  contentType?: string;
  headers?: Record<string, unknown>;
}

export interface ConfirmChannel {
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'close', listener: () => void): this;
  on(event: 'return', listener: (message: RascalMessage) => void): this;
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: AmqpProperties & { persistent: boolean; mandatory: boolean },
    confirmed: (error: Error | null) => void,
  ): boolean;
  get(
    queue: string,
    options: { noAck: boolean },
    done: (error: Error | null, message: RascalMessage | false) => void,
  ): void;
  checkQueue(queue: string, done: (error: Error | null, found: { messageCount: number }) => void): void;
  checkExchange(exchange: string, done: (error: Error | null) => void): void;
  ack(message: RascalMessage): void;
  /** The response comes after the broker has processed every earlier ack. */
  close(done: (error: Error | null) => void): void;
}

interface Rascal {
  BrokerAsPromised: { create(config: object): Promise<RascalBroker> };
}

const rascal = createRequire(import.meta.url)('rascal') as Rascal;

/** Connects, and asserts the configured topology. After a failure, nothing stays open that would keep the process alive. */
export async function createBroker(config: object): Promise<RascalBroker> {
  try {
    return await rascal.BrokerAsPromised.create(config);
  } catch (error) {
    const halfMade = (error as { broker?: symbol }).broker;
    const broker = halfMade && (error as Record<symbol, RascalBroker>)[halfMade];
    await broker?.shutdown();
    throw error;
  }
}
