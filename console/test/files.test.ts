/** The files of the console as the gateway serves them. */
import { expect, it } from 'vitest';
import { readDemo } from './browser.ts';

const { gateway } = readDemo();

/** The promise of the console's README: the first load, compressed. */
const MAX_FIRST_LOAD_BYTES = 250_000;

it('has a strict policy, and keeps only files with a hash in their name', async () => {
  const page = await fetch(`${gateway}/console`);
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|http/);
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const html = await page.text();
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)/);
  const [asset = ''] = html.match(/\/console\/assets\/[^"]+\.js/) ?? [];
  const script = await fetch(gateway + asset);
  expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect((await fetch(`${gateway}/console/assets/none.js`)).status).toBe(404);
  expect((await fetch(`${gateway}/console/assets/..%2findex.html`)).status).toBe(404);
});

it('loads at most 250 kB at first', async () => {
  const html = await (await fetch(`${gateway}/console`)).text();
  const files = [...new Set(html.match(/\/console\/assets\/[^"]+\.(js|css)/g))];
  const sizes = await Promise.all(files.map((file) => compressedBytes(gateway + file)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`The first load is ${Math.round(total / 1_000)} kB in gzip.`);
  expect(total).toBeLessThan(MAX_FIRST_LOAD_BYTES);
});

/** `fetch` decompresses, so the length is that of the header. */
async function compressedBytes(url: string): Promise<number> {
  const answer = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
  expect(answer.headers.get('content-encoding')).toBe('gzip');
  await answer.arrayBuffer();
  return Number(answer.headers.get('content-length'));
}
