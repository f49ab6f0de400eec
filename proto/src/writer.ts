/** The writer that generated code encodes with, unless it is given one. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** What the writer of one unusually large message would keep for ever is given up. */
const KEEP_BYTES = 1024 * 1024;

class ReusedWriter extends BinaryWriter {
  isFree = true;

  override finish(): Uint8Array<ArrayBuffer> {
    const bytes = super.finish();
    this.isFree = bytes.length <= KEEP_BYTES;
    return bytes;
  }
}

let reused = new ReusedWriter();

/**
 * The same one for message after message: a new one grows by doubling from 64 bytes for each, which was two thirds of what encoding
 * cost. While a message is being written (or after one that threw) whoever asks gets another.
 */
export function messageWriter(): BinaryWriter {
  if (!reused.isFree) reused = new ReusedWriter();
  reused.isFree = false;
  return reused;
}
