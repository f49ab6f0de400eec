/** A capture as clients see it. */
import type { Capture as CaptureMessage } from '@payflowx/proto/payment';
import { CAPTURE_STATE_NAMES, captureJson as sharedCaptureJson } from '@payflowx/proto/payment-json';
import { type Static, Type } from 'typebox';
import { CaptureId, PaymentId } from './ids.ts';
import { Currency, minorUnits } from './money.ts';
import { named, nullable, ref } from './named.ts';
import { notes } from './notes.ts';
import { Failure } from './payment.ts';
import { PaymentTotals } from './payment-totals.ts';
import { nullableText, time } from './text.ts';
import { wireNames } from './wire-names.ts';

export const CAPTURE_STATES = wireNames(
  'The state of the capture. FAILED: it was declined, and no money moved.',
  CAPTURE_STATE_NAMES,
);

const EXAMPLE = {
  id: 'cap_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  payment_id: 'pay_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  state: 'COMPLETED',
  amount: 500,
  currency: 'EUR',
  final: false,
  reference: 'parcel-1',
  metadata: { order: '4711' },
  failure: null,
  payment: { state: 'PARTIALLY_CAPTURED', amount_captured: 500, amount_refunded: 0 },
  created_at: '2026-01-31T12:10:00.000Z',
  updated_at: '2026-01-31T12:10:00.000Z',
  client_id: null,
};

export const Capture = named(
  'Capture',
  Type.Object(
    {
      id: ref(CaptureId),
      payment_id: ref(PaymentId),
      state: CAPTURE_STATES.schema,
      amount: minorUnits('The captured amount.'),
      currency: ref(Currency),
      final: Type.Boolean({ description: 'True if it releases the rest of the hold.' }),
      ...notes,
      failure: nullable(Failure),
      payment: nullable(PaymentTotals),
      created_at: time('When the capture was requested.'),
      updated_at: time('When the capture last changed.'),
      client_id: nullableText(
        'The API client that requested the capture; null if a person did, or if it acts for another user than the reader.',
      ),
    },
    { examples: [EXAMPLE] },
  ),
);

type CaptureJson = Static<typeof Capture>;

export const captureJson = (capture: CaptureMessage): CaptureJson => sharedCaptureJson(capture);
