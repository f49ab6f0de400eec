/**
 * Keys that are replaced while the service runs. A setting has one key, or several with commas: the first one is used for everything
 * new, and each is accepted. So instances with an older and a newer setting understand each other during a restart of one after the other.
 */
import { secretSetting } from './secret-files.ts';

/** 32 bytes in base64. */
const KEY = '[A-Za-z0-9+/]{43}=';

export const keysSetting = () => secretSetting({ pattern: `^${KEY}(,${KEY})*$` });

export function keysFrom(setting: string): readonly [Buffer, ...Buffer[]] {
  const [first = '', ...others] = setting.split(',');
  return [decode(first), ...others.map(decode)];
}

function decode(key: string): Buffer {
  return Buffer.from(key, 'base64');
}
