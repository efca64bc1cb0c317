/** Query parameters that are part of a temporary signature, in lower case. */
const SIGNATURE = new Set([
  // Google Cloud Storage (V2), Amazon S3 (V2) and CloudFront.
  ...['googleaccessid', 'awsaccesskeyid', 'expires', 'signature', 'key-pair-id', 'policy', 'hash-algorithm'],
  // Firebase and plain tokens.
  'token',
]);

/** The families of the current signatures of Google and Amazon. */
const SIGNATURE_FAMILY = /^x-(goog|amz)-/;

/** What accompanies `sig` in Azure's URLs; names this short mean other things elsewhere. */
const AZURE = new Set(
  'sig sv ss srt sr sp st se sip spr skoid sktid skt ske sks skv saoid suoid scid sdd ses'.split(' '),
);

/**
 * A URL without its temporary signature, which differs in each answer although the record has not changed. The rest
 * stays as it was sent, byte for byte, and so does any string that is not exactly one URL.
 */
export function withoutSignature(text: string): string {
  if (!isAddress(text)) return text;
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/.exec(text) ?? [];
  const parameters = query === '' ? [] : query.slice(1).split('&');
  const names = parameters.map((parameter) => (parameter.split('=', 1)[0] ?? '').toLowerCase());
  const isAzure = names.includes('sig');
  const isSignature = (name: string) =>
    SIGNATURE.has(name) || SIGNATURE_FAMILY.test(name) || (isAzure && AZURE.has(name));
  const kept = parameters.filter((_, i) => !isSignature(names[i] ?? ''));
  if (kept.length === parameters.length) return text;
  return `${path}${kept.length === 0 ? '' : `?${kept.join('&')}`}${fragment}`;
}

function isAddress(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text) && URL.canParse(text);
}
