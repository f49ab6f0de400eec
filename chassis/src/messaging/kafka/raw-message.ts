/** A message in kafkajs' form. A dead letter keeps all of it unchanged. */
export interface RawMessage {
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}
