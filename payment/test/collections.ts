/** Shared helpers of tests with mandates. */
import type { Caller } from '@payflowx/chassis';
import { newId } from '@payflowx/chassis';
import type { MandateLimits } from '@payflowx/proto/authorization';
import type { CreatePaymentRequest, CreatePaymentResponse } from '@payflowx/proto/payment';
import { CALL, type Platform, paymentRequest, type Server } from './payment-platform.ts';

export interface Opened {
  mandateId: string;
  fromAccount: string;
  toAccount: string;
  /** Collects as the payee, unless `by` is given. */
  collect(
    given?: Partial<CreatePaymentRequest>,
    how?: { by?: Caller; server?: Pick<Server, 'client'>; deadlineMs?: number },
  ): Promise<CreatePaymentResponse>;
  revoke(): Promise<void>;
  /** Returns the use of the mandate today, in minor units. */
  usedToday(): Promise<bigint | undefined>;
}

/** Makes a mandate of the customer, from a new account with FUNDS to a new, empty one of the other customer. */
export async function openMandate(
  platform: Platform,
  { limits }: { limits?: Partial<MandateLimits> } = {},
): Promise<Opened> {
  const { customer, otherCustomer, authorization } = platform;
  const { fromAccount, toAccount } = await platform.newRequest();
  const asPayer = async () => ({ ...CALL, accessToken: await platform.tokenOf(customer) });
  const { mandate } = await authorization.mandates.createMandate(
    {
      ...{ requestId: newId('req'), fromAccount, toAccount, reference: '' },
      ...{ perPaymentMinor: undefined, dailyMinor: undefined, monthlyMinor: undefined, ...limits },
      validUntil: new Date(Date.now() + 3_600_000),
    },
    await asPayer(),
  );
  const mandateId = mandate?.id ?? '';
  return {
    mandateId,
    fromAccount,
    toAccount,
    async collect(given = {}, { by = otherCustomer, server = platform, deadlineMs = CALL.deadlineMs } = {}) {
      const request = paymentRequest({ fromAccount, toAccount, mandateId, ...given });
      return server.client.createPayment(request, { deadlineMs, accessToken: await platform.tokenOf(by) });
    },
    async revoke() {
      await authorization.mandates.revokeMandate({ mandateId }, await asPayer());
    },
    async usedToday() {
      const { mandate } = await authorization.mandates.getMandate({ mandateId }, await asPayer());
      return mandate?.usage?.dailyMinor;
    },
  };
}
