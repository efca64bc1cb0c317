import { z } from 'zod';
import { group } from './fields.ts';

const SIZE = 'must be a size from 1MB to 1000GB, such as 500MB or 2GB';
const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

/** A size in bytes. */
function size() {
  return z
    .string(SIZE)
    .transform((text, context) => {
      const [, digits = '', unit = ''] = /^(\d{1,4}) ?(MB|GB)$/.exec(text.trim()) ?? [];
      const bytes = Number(digits) * (UNITS[unit] ?? 0);
      if (bytes >= 1e6 && bytes <= 1e12) return bytes;
      context.addIssue({ code: 'custom', message: SIZE });
      return z.NEVER;
    })
    .meta({ title: 'size from 1MB to 1000GB', examples: ['500MB', '2GB'] });
}

/** Which files are downloaded besides the records. */
export function mediaSchema() {
  return group({
    recordings: z
      .boolean('must be true or false')
      .default(false)
      .describe(
        'Download the files of recordings as well. They show and name people: read docs/data-protection.md first. Data type `recordings` must be among `data`.',
      ),
    path: z
      .string('must be a path')
      .min(1, 'must be a path')
      .default('./data/media')
      .describe('The folder for them, relative to the folder of the configuration file.'),
    types: z
      .array(z.enum(['audio', 'video'], 'must be audio or video'), 'must be a list of audio and video, such as [audio]')
      .min(1, 'must name audio, video or both')
      .default(['audio', 'video'])
      .describe('Which of them; a recording that does not say what it is, is downloaded too.'),
    maxBytesPerHour: size()
      .prefault('2GB')
      .describe('The bandwidth for them, spread evenly over the hour. Requests for records do not count.'),
    names: z
      .enum(['safe', 'sdk'], 'must be safe or sdk')
      .default('safe')
      .describe(
        'How files are named: `safe`, by ids alone, or `sdk`, as `download_recordings` of HyperStudy’s Python SDK does, with the name of the participant.',
      ),
  });
}
