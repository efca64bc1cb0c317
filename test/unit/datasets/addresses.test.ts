import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutSignature } from '../../../src/datasets/addresses.ts';

describe('an address without its signature', () => {
  it.each([
    ['https://a.example/v.mp4?X-Goog-Algorithm=GOOG4&X-Goog-Date=1&X-Goog-Signature=f', 'https://a.example/v.mp4'],
    ['https://a.example/v.mp4?GoogleAccessId=a%40b&Expires=1&Signature=f%2F', 'https://a.example/v.mp4'],
    ['https://a.example/v.mp4?versionId=3&X-Amz-Expires=1&X-Amz-Signature=f', 'https://a.example/v.mp4?versionId=3'],
    ['https://a.example/v.mp4?Policy=p&Signature=s&Key-Pair-Id=k', 'https://a.example/v.mp4'],
    ['https://a.example/v.mp4?sv=2024&se=2026&sr=b&sp=r&sig=f&rev=2', 'https://a.example/v.mp4?rev=2'],
    ['https://a.example/v%20é.mp4?alt=media&token=f#t=10', 'https://a.example/v%20é.mp4?alt=media#t=10'],
    ['HTTP://A.example?TOKEN=f', 'HTTP://A.example'],
    ['https://a.example/?b=%2f&&c&token=f&b=+', 'https://a.example/?b=%2f&&c&b=+'],
  ])('%s becomes %s', (sent, stored) => {
    expect(withoutSignature(sent)).toBe(stored);
  });

  it.each([
    ['has no signature', 'https://a.example/v.mp4?se=2026&sp=r&page=2#?token=f'],
    ['is followed by words', 'https://a.example/page?token=abc&x=1 look at this'],
    ['stands inside a text', 'see https://a.example/?token=f'],
    ['is none', 'https://?token=f'],
    ['is of another kind', 'ftp://a.example/?token=f'],
    ['is a path', '/data/recordings?token=f'],
  ])('is not changed if it %s', (_why, text) => {
    expect(withoutSignature(text)).toBe(text);
  });

  it('keeps every other parameter byte for byte, in its order', () => {
    const parameter = fc
      .tuple(
        fc.webQueryParameters().filter((text) => !/[&=]/.test(text)),
        fc.webQueryParameters(),
      )
      .map(([name, value]) => `q${name}=${value.replaceAll('&', '')}`);
    fc.assert(
      fc.property(
        fc.webUrl(),
        fc.array(parameter),
        fc.array(parameter),
        fc.string(),
        (url, before, after, signature) => {
          const kept = [...before, ...after];
          const signed = `X-Goog-Signature=${encodeURIComponent(signature.toWellFormed())}`;
          expect(withoutSignature(`${url}?${[...before, signed, ...after].join('&')}`)).toBe(
            kept.length === 0 ? url : `${url}?${kept.join('&')}`,
          );
        },
      ),
    );
  });
});
