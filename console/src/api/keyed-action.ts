/**
 * Actions that move money, with their idempotency keys. After a reload an action is sent again with the same key, so it happens once,
 * and the person sees its outcome.
 */
import type { Answer } from '@payflowx/client';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useMe } from '../session/session.ts';
import { forget, hasUnknownOutcome, open, type Pending, pendingOf } from './pending.ts';

/** `resumed`: it was sent again after a reload. */
export type ActionState<Result> =
  | { phase: 'idle' }
  | { phase: 'sending' }
  /** The platform has it, and is still working on it. */
  | { phase: 'accepted'; result: Result }
  | { phase: 'done'; result: Result; resumed: boolean }
  | { phase: 'failed'; error: unknown; isOpen: boolean };

export interface KeyedAction<Body, Result> {
  state: ActionState<Result>;
  /** False while the action is being sent, or its outcome is unknown. */
  canStart: boolean;
  /** Does nothing while the outcome of an earlier request is unknown. */
  start: (body: Body) => Promise<void>;
  /** Sends the request again, with its key. */
  retry: () => Promise<void>;
  /** The person has checked what happened: forgets the request. */
  giveUp: () => void;
}

/**
 * `action` identifies the action and its subject, such as `refund:pay_…`. `send` gets the key. `isOpen` in a failure says that the
 * outcome is unknown.
 */
export function useKeyedAction<Body, Result>(
  action: string,
  send: (pending: Pending<Body>) => Promise<Answer<Result>>,
): KeyedAction<Body, Result> {
  const { id: userId } = useMe();
  const slot = useMemo(() => ({ userId, action }), [userId, action]);
  const [state, setState] = useState<ActionState<Result>>({ phase: 'idle' });
  const latest = useRef(send);
  latest.current = send;

  const run = useCallback(
    async (pending: Pending<Body> | undefined, resumed: boolean) => {
      if (!pending) return;
      setState({ phase: 'sending' });
      try {
        const { data: result, response } = await latest.current(pending);
        forget(slot, pending);
        setState(
          response.status === 202 ? { phase: 'accepted', result } : { phase: 'done', result, resumed },
        );
      } catch (error) {
        const isOpen = hasUnknownOutcome(error);
        if (!isOpen) forget(slot, pending);
        setState({ phase: 'failed', error, isOpen });
      }
    },
    [slot],
  );

  useEffect(() => {
    void run(pendingOf<Body>(slot), true);
  }, [slot, run]);

  return {
    state,
    canStart: state.phase !== 'sending' && !(state.phase === 'failed' && state.isOpen),
    start: (body) => run(open(slot, body), false),
    retry: () => run(pendingOf<Body>(slot), false),
    giveUp() {
      const pending = pendingOf(slot);
      if (pending) forget(slot, pending);
      setState({ phase: 'idle' });
    },
  };
}
