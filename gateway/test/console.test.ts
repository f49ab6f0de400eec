/** The files of the console: one document for all pages, and assets that may be kept. */
import { mkdirSync, mkdtempSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Platform, startPlatform } from './platform.ts';

const HTML = '<!doctype html><script type="module" src="/console/assets/index-1.js"></script>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2_000))});`;

let platform: Platform;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'console-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), HTML);
  writeFileSync(join(folder, 'secret.js'), 'no');
  writeFileSync(join(folder, 'assets/index-1.js'), SCRIPT);
  writeFileSync(join(folder, 'assets/notes.txt'), 'no');
  platform = await startPlatform({ CONSOLE_DIR: folder });
});
afterAll(() => platform.close());

it.each(['/console', '/console/', '/console/payments/pay_1', '/console/any.thing'])(
  'sends the document for %s',
  async (path) => {
    const answer = await fetch(platform.url + path);
    expect([answer.status, await answer.text()]).toEqual([200, HTML]);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'; style-src 'self';");
  },
);

it('sends an asset compressed, to be kept for a year, and 304 to a browser that has it', async () => {
  const path = `${platform.url}/console/assets/index-1.js`;
  const answer = await fetch(path, { headers: { 'accept-encoding': 'br' } });
  expect(await answer.text()).toBe(SCRIPT);
  expect(answer.headers.get('content-encoding')).toBe('br');
  expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  const etag = answer.headers.get('etag') ?? '';
  const again = await fetch(path, { headers: { 'accept-encoding': 'br', 'if-none-match': etag } });
  expect(again.status).toBe(304);
});

it.each(['none.js', 'notes.txt', '..%2fsecret.js', '%2e%2e%2findex.html', '__proto__'])(
  'answers 404 for the asset %s, which no cache may keep',
  async (name) => {
    const answer = await fetch(`${platform.url}/console/assets/${name}`);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ code: 'NOT_FOUND' }),
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  },
);

it('keeps nothing of names that the build does not have, and needs the disk only at its start', async () => {
  const ask = async (name: string) => (await fetch(`${platform.url}/console/assets/${name}`)).status;
  expect(await ask('later.js')).toBe(404);
  writeFileSync(join(folder, 'assets/later.js'), SCRIPT);
  unlinkSync(join(folder, 'assets/index-1.js'));
  expect([await ask('other.js'), await ask('index-1.js')]).toEqual([404, 200]);
});

it('has no console without its files', async () => {
  const bare = await startPlatform();
  expect((await fetch(`${bare.url}/console`)).status).toBe(404);
  await bare.close();
});

it('does not start with a folder that has no document', async () => {
  await expect(startPlatform({ CONSOLE_DIR: tmpdir() })).rejects.toThrow(/index\.html/);
});
