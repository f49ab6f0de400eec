/** The position of a payment or an operation in its list, as page tokens contain it. */
import type { Position } from '../store/walk.ts';

interface TokenContent {
  /** Milliseconds since 1970. */
  at: number;
  id: string;
}

export function toTokenContent({ at, id }: Position): TokenContent {
  return { at: at.getTime(), id };
}

/** Undefined for the first page. */
export function toPosition(content: TokenContent | undefined): Position | undefined {
  return content && { at: new Date(content.at), id: content.id };
}
