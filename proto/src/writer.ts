/** The default writer of generated code. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** A writer that wrote more bytes than this is not reused, so that one large message does not keep its memory for ever. */
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
 * Returns the same writer for one message after another. A new writer starts with 64 bytes and doubles as the message grows, which
 * was two thirds of the cost of encoding. While a message is being written, or after one that threw, the caller gets another writer.
 */
export function messageWriter(): BinaryWriter {
  if (!reused.isFree) reused = new ReusedWriter();
  reused.isFree = false;
  return reused;
}
