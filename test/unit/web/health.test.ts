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

describe('the daemon', () => {
  it('is healthy in spite of problems that a restart would not solve', () => {
    expect(stalled([issue('KEY_REFUSED', 'No.'), issue('SERVER_UNREACHABLE', 'Away.')])).toBeUndefined();
  });

  it('is not healthy while nothing makes progress, and says so', () => {
    expect(stalled([issue('KEY_REFUSED', 'No.'), issue('STALLED', 'No progress.')])).toBe('No progress.');
  });
});

describe('a warehouse', () => {
  it('is ready although some data are incomplete or the server cannot be reached', () => {
    expect(unreadiness([issue('ANSWER_INCOMPLETE', 'Some.'), issue('SERVER_UNREACHABLE', 'Away.')])).toEqual([]);
  });

  it('is not ready if the key is refused or something was never read, and says which it is', () => {
    expect(unreadiness([issue('NOT_READ_YET', '3 of 4.'), issue('KEY_REFUSED', 'No.')])).toEqual(['3 of 4.', 'No.']);
  });
});
