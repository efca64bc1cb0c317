import { BlockList, isIP } from 'node:net';

const ADDRESSES = new BlockList();
ADDRESSES.addSubnet('127.0.0.0', 8);
ADDRESSES.addAddress('::1', 'ipv6');

/**
 * Whether what is sent to a host stays on this computer. Only `localhost` and full addresses are accepted: a resolver
 * decides where other names and shortened addresses lead. `URL` writes the addresses of its hosts in full.
 */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(name);
  if (version === 0) return name.toLowerCase() === 'localhost';
  return ADDRESSES.check(name, version === 6 ? 'ipv6' : 'ipv4');
}
