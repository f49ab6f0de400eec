/** The client addresses that login throttling counts by. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { invalid } from './errors.ts';

/** The address of a gRPC peer: `192.0.2.1:50051`, `[2001:db8::1]:50051` or `2001:db8::1:50051`. */
export function addressOfPeer(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** Throws INVALID_ARGUMENT. A service that sends something else has a bug that would switch throttling off. */
export function requireAddress(address: string): string {
  if (isIP(address) !== 0) return address;
  throw invalid([{ field: 'client_address', description: 'must be an IP address' }]);
}

const MAPPED_IPV4 = new BlockList();
MAPPED_IPV4.addSubnet('::ffff:0:0', 96, 'ipv6');

/**
 * Returns the network that failures are counted for: an IPv4 address, or the /64 of an IPv6 address. A client with one IPv6
 * address has the 2^64 of its /64.
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = expand(address.replace(/%.*$/, ''));
  if (MAPPED_IPV4.check(address.replace(/%.*$/, ''), 'ipv6')) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** Returns the eight groups of an IPv6 address. It may be shortened, and may end as an IPv4 address (RFC 4291, 2.2). */
function expand(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const left = groupsOf(head);
  if (tail === undefined) return left;
  const right = groupsOf(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
