import { afterEach, beforeEach, expect, it, vi } from 'vitest';

/** The page's storage, and a platform that cannot be reached. */
beforeEach(() => {
  const items = new Map([['payflowx-has-session', 'yes']]);
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => items.get(name) ?? null,
    removeItem: (name: string) => items.delete(name),
  });
  vi.stubGlobal('location', { origin: 'http://127.0.0.1:1' });
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')));
});
afterEach(() => vi.unstubAllGlobals());

it('signing out without the platform ends the session in this browser', async () => {
  const { onSessionEnd, signOut } = await import('./session.ts');
  const forget = vi.fn();
  onSessionEnd(forget);
  const otherTab = new BroadcastChannel('payflowx-session');
  const told = new Promise((resolve) => {
    otherTab.onmessage = ({ data }) => resolve(data);
  });
  await signOut();
  expect(forget).toHaveBeenCalledOnce();
  expect(localStorage.getItem('payflowx-has-session')).toBeNull();
  expect(await told).toEqual({ kind: 'signed-out' });
  otherTab.close();
});
