import { describe, expect, it } from 'vitest';
import type { Issue } from '../../../src/status/issue.ts';
import { stalled, unreadiness } from '../../../src/web/health.ts';

const issue = (code: Issue['code'], text: string): Issue => ({
  id: code,
  code,
  severity: 'error',
  since: undefined,
  scope: {},
  subject: code,
  text,
  hint: '',
  ended: '',
  alert: 'never',
});

describe('the health', () => {
  it('is well with whatever a restart would not help', () => {
    expect(stalled([issue('KEY_REFUSED', 'No.'), issue('SERVER_UNREACHABLE', 'Away.')])).toBeUndefined();
  });

  it('is not while nothing makes progress, which is said', () => {
    expect(stalled([issue('KEY_REFUSED', 'No.'), issue('STALLED', 'No progress.')])).toBe('No progress.');
  });
});

describe('a warehouse', () => {
  it('is ready although something is incomplete or away', () => {
    expect(unreadiness([issue('ANSWER_INCOMPLETE', 'Some.'), issue('SERVER_UNREACHABLE', 'Away.')])).toEqual([]);
  });

  it('is not with a refused key or something that was never read, and says which', () => {
    expect(unreadiness([issue('NOT_READ_YET', '3 of 4.'), issue('KEY_REFUSED', 'No.')])).toEqual(['3 of 4.', 'No.']);
  });
});
