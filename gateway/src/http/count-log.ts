import type { Logger } from '@payflowx/chassis';
import type { FastifyInstance } from 'fastify';

const LOG_EVERY_MS = 1_000;

/** Returns a function that counts an event. The counts are logged once a second, so that a flood does not fill the log. */
export function countInLog(app: FastifyInstance, log: Logger, message: string): () => void {
  let count = 0;
  const timer = setInterval(() => {
    if (count > 0) log.warn({ count }, message);
    count = 0;
  }, LOG_EVERY_MS).unref();
  app.addHook('onClose', async () => clearInterval(timer));
  return () => {
    count += 1;
  };
}
