/** The address that a login comes from. */
import type { Call } from '@payflowx/chassis';
import { addressOfPeer, requireAddress } from '../domain/client-address.ts';

/** Only the gateway may send a client address. Otherwise a client could claim any address, or block the addresses of others. */
export function addressOfLogin(claimed: string | undefined, { service, peer }: Call): string {
  if (claimed !== undefined && service === 'gateway') return requireAddress(claimed);
  return addressOfPeer(peer);
}
