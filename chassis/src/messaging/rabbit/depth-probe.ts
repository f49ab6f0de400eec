/** Reads the number of messages in a queue, on a connection of its own that opens with the first read. */
import { closeConnection, connectWithTopology, openConfirmChannel, type QueueSettings } from './publisher.ts';
import type { AmqpConnection, ConfirmChannel } from './rascal.ts';

export interface DepthProbe {
  /** Messages that no consumer holds. Rejects while the broker is unavailable. */
  read(): Promise<number>;
  close(): Promise<void>;
}

export function createDepthProbe(settings: QueueSettings): DepthProbe {
  let link: Promise<{ connection: AmqpConnection; channel: ConfirmChannel }> | undefined;

  async function open() {
    const connection = await connectWithTopology(settings);
    const forget = () => {
      link = undefined;
    };
    connection.on('error', forget);
    connection.on('close', forget);
    const channel = await openConfirmChannel(connection);
    channel.on('error', forget);
    channel.on('close', forget);
    return { connection, channel };
  }

  return {
    async read() {
      link ??= open().catch((error) => {
        link = undefined;
        throw error;
      });
      const { channel } = await link;
      return new Promise((resolve, reject) => {
        channel.checkQueue(settings.queue, (error, found) =>
          error ? reject(error) : resolve(found.messageCount),
        );
      });
    },
    async close() {
      const opened = await link?.catch(() => undefined);
      link = undefined;
      if (opened) await closeConnection(opened.connection);
    },
  };
}
