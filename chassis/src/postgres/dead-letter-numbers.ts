/** Ids of dead letters in a table: the number of the row is the last part of the id. */
import {
  DEAD_LETTER_SOURCES,
  type DeadLetterSourceName,
  deadLetterId,
  parseDeadLetterId,
} from '@payflowx/proto/dead-letters';
import type { DeadLetterPosition } from '../messaging/dead-letter-source.ts';

/** Above every number. */
const MAX_NUMBER = 2n ** 48n;

export function numberedId(source: DeadLetterSourceName, number: bigint): string {
  return deadLetterId(source, number.toString(16).padStart(22, '0'));
}

/** 0 for an id that no row has. */
export function numberOf(id: string): bigint {
  const hex = parseDeadLetterId(id)?.hex ?? '0';
  const number = BigInt(`0x${hex}`);
  return number < MAX_NUMBER ? number : 0n;
}

/**
 * A page continues after a position that may be in another source. Returns the number below which the ids of this source follow,
 * among dead letters of the same time.
 */
export function boundOf(source: DeadLetterSourceName, { id }: DeadLetterPosition): bigint {
  const other = parseDeadLetterId(id)?.source ?? source;
  if (other === source) return numberOf(id);
  return DEAD_LETTER_SOURCES[other].number > DEAD_LETTER_SOURCES[source].number ? MAX_NUMBER : 0n;
}
