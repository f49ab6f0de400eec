/** Translates a step of a payment to the message of the contract. */
import { type Caller, traceFrom } from '@payflowx/chassis';
import { Decision } from '@payflowx/proto/authorization';
import type { PaymentStep } from '@payflowx/proto/payment';
import type { VisibleStep } from '../app/list-payment-steps.ts';
import { STATE_CODES } from '../messages/payment-message.ts';
import { decisionFor } from './visible-decision.ts';

export function toStepMessage(caller: Caller, step: VisibleStep): PaymentStep {
  const decision = step.decision && Decision.decode(step.decision);
  return {
    eventId: step.eventId,
    type: step.type,
    state: STATE_CODES[step.state],
    movements: decision?.movements ?? [],
    decision: step.showsDecision && decision ? decisionFor(caller, decision) : undefined,
    refundId: step.refundId ?? '',
    actorId: step.actorId ?? '',
    clientId: step.clientId ?? '',
    traceId: step.traceparent === '' ? '' : traceFrom(step.traceparent).traceId,
    occurredAt: step.occurredAt,
  };
}
