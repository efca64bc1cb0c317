import { z } from 'zod';
import { addressProblem, count, dateOrNever, duration, group, organizationId, share } from './fields.ts';

export const PRODUCTION = 'https://api.hyperstudy.io/api/v3';

/** Where the API is, the key, and how much may be asked of it. */
export function apiSchema() {
  return group({
    baseUrl: z
      .string()
      .default(PRODUCTION)
      .transform(checkBaseUrl)
      .describe('Where the API is. The environment variable HYPERSTUDY_BASE_URL wins over it.'),
    key: z
      .string('must be a text')
      .optional()
      .describe(
        'The API key, best as `${HYPERSTUDY_API_KEY}`. A key written here is accepted only in a file that no one else can read (chmod 600).',
      ),
    keyFile: z
      .string('must be a path')
      .optional()
      .describe('A file that holds nothing but the key (chmod 600). Either this or `key`.'),
    keyExpires: dateOrNever()
      .optional()
      .describe(
        'When the key ends: a date, a time, or never. HyperStudy shows it only when the key is made. You are told a week before.',
      ),
    organization: organizationId()
      .optional()
      .describe(
        'The organization for which to ask, such as org_abc123: needed for what other organizations share. The environment variable HYPERSTUDY_ORGANIZATION_ID wins over it.',
      ),
    limits: group({
      perHour: count(100_000).default(1000).describe('Requests that HyperStudy allows one key in any hour.'),
      perEndpointPerMinute: count(10_000)
        .default(100)
        .describe('Requests that HyperStudy allows one key in any minute for one data type.'),
      reserve: share(0.9).default(0.1).describe('The share of both limits that is left for your own scripts.'),
    }).prefault({}),
    pageSize: z
      .union([z.literal('auto'), count(10_000)], 'must be auto or a whole number from 1 to 10000')
      .default('auto')
      .describe('Records in one request; `auto` learns how many each endpoint serves.'),
    concurrency: count(20).default(4).describe('Requests under way at once.'),
    timeout: duration('1s', '1h').prefault('60s').describe('The longest that one request may take.'),
  });
}

function checkBaseUrl(text: string, context: z.RefinementCtx): string {
  const problem = (message: string) => context.addIssue({ code: 'custom', message });
  if (!URL.canParse(text)) {
    problem('must be a web address such as https://api.hyperstudy.io/api/v3');
    return text;
  }
  const url = new URL(text);
  const found = addressProblem(url);
  if (found !== undefined) problem(`${found}, as the key is sent there`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    problem('must be a plain address without user, query or fragment');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
