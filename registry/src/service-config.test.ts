import { expect, it } from 'vitest';
import { balancedServiceConfig } from './service-config.ts';

const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: '0.05s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'],
};

it('adds round robin if the caller configures nothing', () => {
  expect(balancedServiceConfig(undefined)).toEqual({
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [],
  });
});

it('keeps retry policies, timeouts and throttling of the caller', () => {
  const written = {
    methodConfig: [
      { name: [{ service: 'payflowx.payment.v1.PaymentService' }], timeout: '1.5s', retryPolicy },
    ],
    retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
  };
  expect(balancedServiceConfig(JSON.stringify(written))).toEqual({
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [
      {
        name: [{ service: 'payflowx.payment.v1.PaymentService' }],
        timeout: { seconds: 1, nanos: 500_000_000 },
        retryPolicy,
      },
    ],
    retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
  });
});

it('keeps a balancing policy of the caller', () => {
  const written = JSON.stringify({ loadBalancingConfig: [{ pick_first: {} }] });
  expect(balancedServiceConfig(written).loadBalancingConfig).toEqual([{ pick_first: {} }]);
});
