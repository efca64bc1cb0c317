import { networkFailure, type NetworkCause } from '../shared/network.ts';

/** What went wrong on the way to the API, and what to do about it. */
export interface WireFailure {
  readonly reason: string;
  readonly hint: string;
  /** Whether another try in a moment may help; otherwise a person has to change something. */
  readonly passes: boolean;
}

const HINT = 'Check the network and api.baseUrl; the next sync continues from there.';
const CLOCK_HINT =
  'Check the date of this computer (timedatectl); if it is right, the server has to renew its certificate.';
export const PROXY_HINT =
  'Put them into HTTPS_PROXY and HTTP_PROXY (http://name:password@proxy:port), or name the server in NO_PROXY.';

const HINTS: Readonly<Partial<Record<NetworkCause, string>>> = {
  proxy: PROXY_HINT,
  'proxy-login': PROXY_HINT,
  'no-name': `Is this computer online? ${HINT}`,
  expired: CLOCK_HINT,
  'not-valid-yet': CLOCK_HINT,
  'other-name': 'Check api.baseUrl.',
  untrusted:
    'If a proxy inspects your traffic with its own certificate, set the environment variable NODE_EXTRA_CA_CERTS to the file of that certificate.',
  'no-tls': 'Check api.baseUrl: is the port right, and should it be http:// rather than https://?',
  'no-http': 'Check api.baseUrl: is the port right, and should it be https:// rather than http://?',
  forbidden: 'Check its firewall and sandbox.',
};

/** What an error of Node or undici means. */
export function wireFailure(error: unknown): WireFailure {
  const { cause, reason, passes } = networkFailure(error);
  return { reason, passes, hint: HINTS[cause] ?? HINT };
}
