/** One request of the load, and what came back. */
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
  /** Index of the user in whose name it is sent. */
  user: number;
  key?: string;
  body?: string;
  /** Whether the whole answer is wanted, not only its beginning. */
  whole?: boolean;
  /** Of a replay: the body of the first answer. */
  first?: string;
  /** Of a payment and its steps: between whom. */
  pair?: Pair;
  /** Of a capture: whether the money goes back then. */
  refundNext?: boolean;
}

export interface OperationAnswer {
  status: number;
  /** Whether the platform says that this is a first answer given again. */
  replayed: boolean;
  /** Its beginning at least: the id stands first. */
  body: string;
}
