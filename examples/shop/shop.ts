/**
 * A shop that takes money when it ships. The buyer's money is held at the checkout, each shipment captures a part, and a return is
 * refunded. Every command may be killed at any moment and started again: its key follows from the order, so it happens once.
 *
 *     node shop.ts checkout <order> <amount>
 *     node shop.ts ship <order> <shipment> <amount> [last]
 *     node shop.ts refund <order> <return> <amount>
 *     node shop.ts show <order>
 *
 * Amounts are minor units.
 */
import { createPayFlowX, type PayFlowX, PayFlowXError, type Schema } from '@payflowx/client';

type Payment = Schema<'Payment'>;

const gateway = variable('GATEWAY');
const buyer = login('BUYER');
const shop = login('SHOP');

function login(who: 'BUYER' | 'SHOP'): PayFlowX {
  const as = { username: variable(`${who}_USER`), password: variable(`${who}_PASSWORD`) };
  return createPayFlowX({ gateway, as });
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`The variable ${name} is missing.`);
  return value;
}

/**
 * The buyer's money is held for a week, and only the shop may capture it. The shop then writes its own order number to the payment: it is
 * how the shop finds the payment again, and the buyer does not see it.
 */
async function checkout(order: string, amount: number): Promise<Payment> {
  const { data: held } = await buyer.post('/v1/payments', {
    key: `checkout-${order}`,
    body: {
      ...{ from_account: variable('BUYER_ACCOUNT'), to_account: variable('SHOP_ACCOUNT') },
      ...{ amount, currency: 'EUR', capture: 'manual', capture_by: 'payee', hold_seconds: 604_800 },
      description: `Order ${order}`,
    },
  });
  const path = { id: held.id };
  const { data } = await shop.patch('/v1/payments/{id}', { params: { path }, body: { reference: order } });
  return data;
}

/** Captures what is shipped. After the last shipment, the rest of the hold goes back to the buyer. */
async function ship(order: string, shipment: string, amount: number, isLast: boolean): Promise<Payment> {
  const { id } = await paymentOf(order);
  const { data } = await shop.post('/v1/payments/{id}/capture', {
    params: { path: { id } },
    key: `ship-${order}-${shipment}`,
    body: { amount, final: isLast, reference: shipment },
  });
  return data;
}

async function refund(order: string, number: string, amount: number): Promise<Payment> {
  const { id } = await paymentOf(order);
  await shop.post('/v1/payments/{id}/refunds', {
    params: { path: { id } },
    key: `return-${order}-${number}`,
    body: { amount, reason: 'returned', reference: number },
  });
  return paymentOf(order);
}

async function paymentOf(order: string): Promise<Payment> {
  const query = { reference: order };
  for await (const payment of shop.list('/v1/payments', { params: { query } })) return payment;
  throw new Error(`There is no order ${order}.`);
}

const [command, order = '', ...rest] = process.argv.slice(2);
const [first = '', second = '', last] = rest;
const COMMANDS: Record<string, () => Promise<Payment>> = {
  checkout: () => checkout(order, Number(first)),
  ship: () => ship(order, first, Number(second), last === 'last'),
  refund: () => refund(order, first, Number(second)),
  show: () => paymentOf(order),
};

try {
  const run = COMMANDS[command ?? ''];
  if (!run) throw new Error(`The commands are ${Object.keys(COMMANDS).join(', ')}.`);
  const { id, state, amount, amount_captured, amount_refunded } = await run();
  console.log(JSON.stringify({ order, id, state, amount, amount_captured, amount_refunded }));
} catch (error) {
  // A code is stable, so a program can act on it. Its text is for people.
  if (!(error instanceof PayFlowXError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
