import { counted } from '../shared/count.ts';
import type { Issue } from './issue.ts';
import type { Snapshot } from './snapshot.ts';

/** Recordings whose files could not be downloaded. */
export function mediaIssues({ media }: Snapshot): Issue[] {
  const failed = media?.problems.reduce((sum, { files }) => sum + files, 0) ?? 0;
  if (media === undefined || failed === 0) return [];
  const reasons = media.problems.map(({ problem, files }) => `${problem} (${files})`).join(', ');
  return [
    {
      id: 'media',
      code: 'MEDIA_MISSING',
      severity: 'warning',
      since: undefined,
      scope: {},
      subject: 'Recordings could not be downloaded',
      text: `The files of ${counted(failed, 'recording')} are not held: ${reasons}. ${media.held} of ${media.wanted} are.`,
      hint: 'They are tried again, at longer and longer intervals up to a day; `media_files.problem` says why for each. HyperStudy may have deleted the files.',
      ended: 'No recording is left that could not be downloaded',
      alert: 'never',
    },
  ];
}
