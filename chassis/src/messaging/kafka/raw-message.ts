/** A message as kafkajs has it: what a dead letter must keep untouched. */
export interface RawMessage {
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}
