import { it } from 'vitest';
import { createClient } from './client.ts';
import { completeAll, newPayment } from './examples.ts';
import { startPlatform } from './platform.ts';

it('x', async () => {
  const p = await startPlatform();
  p.fakes.payment['batchCreatePayments'] = completeAll;
  const c = await createClient(p);
  const a = await c.call('POST', '/v1/payments', { as: 'customer', key: 'k', body: newPayment });
  console.log(a.status, a.text, [...a.headers]);
  const d = await c.call('POST', '/v1/payments', { as: 'customer', body: newPayment });
  console.log(d.status, d.text);
  console.log((await c.call('GET', '/readyz')).text);
  const docs = await fetch(p.url + '/docs/');
  console.log(await docs.text(), docs.headers.get('content-security-policy'));
  await (await import('node:fs/promises')).writeFile(
    '/tmp/openapi.json',
    JSON.stringify(c.document, null, 1),
  );
  await p.close();
});
