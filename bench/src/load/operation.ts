/** One request of the load, and its response. */
import type { Pair } from './pairs.ts';

export type OperationKind =
  | 'pay'
  | 'decline'
  | 'authorize'
  | 'capture'
  | 'cancel'
  | 'refund'
  | 'replay'
  | 'read';

export interface Operation {
  kind: OperationKind;
  method: 'GET' | 'POST';
  path: string;
  /** Index of the user who sends it. */
  user: number;
  key?: string;
  body?: string;
  /** True if the whole response is needed, not only its beginning. */
  whole?: boolean;
  /** For a replay: the body of the first response. */
  first?: string;
  /** For a payment and its steps: the two accounts. */
  pair?: Pair;
  /** For a capture: true if it is refunded afterwards. */
  refundNext?: boolean;
}

export interface OperationAnswer {
  status: number;
  /** True if the platform marks the response as a replay. */
  replayed: boolean;
  /** At least the beginning of the body, which has the id. */
  body: string;
}
