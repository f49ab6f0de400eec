/** Changes topics and groups of this machine's Kafka as its administrator does, for drills of mistakes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Admin, Kafka, logLevel } from 'kafkajs';

const local = fileURLToPath(new URL('../../.local/', import.meta.url));
const read = (file: string) => readFileSync(join(local, file), 'utf8');

export async function asKafkaAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const broker = /BROKERS:\/\/([\d.:]+)/.exec(read('kafka/server.properties'))?.[1] ?? '';
  const identity = read('tls/kafka-admin.pem');
  const ssl = { ca: read('tls/ca.pem'), key: identity, cert: identity };
  const admin = new Kafka({ brokers: [broker], ssl, logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
