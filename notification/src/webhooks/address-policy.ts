/**
 * Decides which addresses webhooks may reach. Users choose the URLs, so without this check they could reach servers inside the platform's
 * network (server-side request forgery). It is checked when a URL is saved, and again on each address that is connected to.
 */
import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { NotificationError } from '../domain/errors.ts';

export interface AddressPolicy {
  /** Returns the URL in its normal form. Throws URL_NOT_ALLOWED, and also if the name leads to an address that is not allowed. */
  checkUrl(text: string): Promise<string>;
  /** False for addresses that are not public, unless a configured network contains them. In any spelling that Node connects to. */
  mayReach(address: string): boolean;
  /** The addresses of a host by DNS, allowed or not; empty if it has none. Never rejects. */
  addressesOf(host: string): Promise<LookupAddress[]>;
}

export interface AddressSettings {
  /** CIDR networks that are allowed although they are not public. */
  allowedNetworks: readonly string[];
  allowHttp: boolean;
  /** Undefined: any port. */
  ports: readonly number[] | undefined;
  /** Undefined: the name servers of the system. */
  nameServers?: readonly string[];
}

const MAX_URL_LENGTH = 2_048;
/** Milliseconds for one query, and number of queries. */
const DNS_TIMEOUT = { timeout: 1_000, tries: 2 };
/** RFC 6761: these names are loopback, and are not sent to name servers. */
const LOOPBACK: LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
const DEFAULT_PORTS = { 'https:': 443, 'http:': 80 } as const;

/** All public IPv6 addresses are in it (https://www.iana.org/assignments/ipv6-address-space). */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

export function createAddressPolicy(settings: AddressSettings): AddressPolicy {
  const { allowedNetworks, nameServers } = settings;
  // Not getaddrinfo: it occupies one of Node's four threads until it returns, so a few slow name servers would hold up all others.
  const resolver = new Resolver(DNS_TIMEOUT);
  if (nameServers) resolver.setServers(nameServers);
  const networks = allowedNetworks.map((network) => ipaddr.parseCIDR(network));

  function mayReach(text: string): boolean {
    // Only the spellings that Node's resolver and URL parser return. `010.0.0.1` and the like are other addresses to other libraries.
    if (isIP(text) === 0) return false;
    const address = ipaddr.parse(text);
    return isPublic(address) || isAllowed(ipaddr.process(text));
  }

  function isAllowed(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
    return networks.some(
      ([network, bits]) => network.kind() === address.kind() && address.match([network, bits] as never),
    );
  }

  async function checkUrl(text: string): Promise<string> {
    const url = parseUrl(text, settings);
    const host = hostOf(url);
    const addresses = isIP(host) ? [{ address: host }] : await addressesOf(host);
    // A name without an address may get one later, which is then checked.
    if (!addresses.every(({ address }) => mayReach(address))) throw notAllowed('The address is not public.');
    return url.href;
  }

  async function addressesOf(host: string): Promise<LookupAddress[]> {
    if (/(^|\.)localhost\.?$/.test(host)) return LOOPBACK;
    const [v4, v6] = await Promise.all([
      resolver.resolve4(host).catch(() => []),
      resolver.resolve6(host).catch(() => []),
    ]);
    return [
      ...v4.map((address) => ({ address, family: 4 })),
      ...v6.map((address) => ({ address, family: 6 })),
    ];
  }

  return { checkUrl, mayReach, addressesOf };
}

/** The host of a URL. IPv6 addresses are in brackets there. The URL parser has already turned `0x0a000001` into 10.0.0.1. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Private, loopback, link-local, multicast, reserved and embedded addresses (IPv4-mapped, NAT64, 6to4, Teredo) are not public. */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(GLOBAL_IPV6);
}

function parseUrl(text: string, { allowHttp, ports }: Pick<AddressSettings, 'allowHttp' | 'ports'>): URL {
  const url = text.length <= MAX_URL_LENGTH && URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw notAllowed(`It is not a URL of at most ${MAX_URL_LENGTH} characters.`);
  if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:'))
    throw notAllowed('It must begin with https://.');
  if (url.username !== '' || url.password !== '') throw notAllowed('It must not contain a user name.');
  if (url.hash !== '' || text.includes('#')) throw notAllowed('It must not contain a fragment.');
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol as 'https:' | 'http:'] : Number(url.port);
  if (ports && !ports.includes(port)) throw notAllowed(`Its port must be one of ${ports.join(', ')}.`);
  return url;
}

function notAllowed(reason: string): NotificationError {
  return new NotificationError('URL_NOT_ALLOWED', `This URL is not allowed. ${reason}`, {
    violations: [{ field: 'url', description: reason }],
  });
}
