/** A consumer that dies on the first message it applies. */
import { consumeQueue } from '../src/messaging/rabbit/consumer.ts';
import { testLog } from '../src/testing/index.ts';

await consumeQueue(
  JSON.parse(process.env.CONSUMER_SETTINGS ?? '{}'),
  { decode: (message) => message, apply: async () => void process.kill(process.pid, 'SIGKILL') },
  testLog,
);
