/** The services whose CPU and memory are measured. */
export const SERVICES = [
  'gateway',
  'auth',
  'payment',
  'authorization',
  'ledger',
  'notification',
  'analytics',
];
