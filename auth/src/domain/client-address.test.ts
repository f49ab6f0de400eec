import { describe, expect, it } from 'vitest';
import { addressOfPeer, networkOf, requireAddress } from './client-address.ts';
import { AuthError } from './errors.ts';

it.each([
  ['192.0.2.1:50051', '192.0.2.1'],
  ['[2001:db8::1]:50051', '2001:db8::1'],
  ['::1:50051', '::1'],
  ['x[::1]:1', 'x[::1]'],
  ['[::1]x:1', '[::1]x'],
])('reads the peer %s as %s', (peer, address) => {
  expect(addressOfPeer(peer)).toBe(address);
});

describe('the network of a login address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80:1:2:3:4:5:6:7%eth0', 'fe80:1:2:3::/64'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
    ['2001:db8:1:2:3:4:192.0.2.1', '2001:db8:1:2::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['1:2::', '1:2:0:0::/64'],
    ['::ffff:203.7.113.254', '203.7.113.254'],
    ['::1', '0:0:0:0::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it.each(['', 'localhost', '192.0.2.1:80', '192.0.2.1, 192.0.2.2'])('cannot be %j', (text) => {
    const violations = [{ field: 'client_address', description: 'must be an IP address' }];
    expect(() => requireAddress(text)).toThrow(
      new AuthError('INVALID_ARGUMENT', 'client_address must be an IP address.', { violations }),
    );
  });
});

it.each(['192.0.2.1', '::1', '2001:db8::1'])('takes the address %s as it is', (address) => {
  expect(requireAddress(address)).toBe(address);
});
