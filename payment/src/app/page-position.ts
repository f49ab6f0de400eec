/** The position of a payment or an operation in its list, as page tokens contain it. */
import type { Position } from '../store/payment-lists.ts';

interface TokenContent {
  /** Milliseconds since 1970. */
  at: number;
  id: string;
}

export function toTokenContent({ createdAt, id }: Position): TokenContent {
  return { at: createdAt.getTime(), id };
}

/** Undefined for the first page. */
export function toPosition(content: TokenContent | undefined): Position | undefined {
  return content && { createdAt: new Date(content.at), id: content.id };
}
