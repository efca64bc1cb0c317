import { z } from 'zod';
import { addressProblem, count, dateOrNever, duration, group, organizationId, share } from './fields.ts';

export const PRODUCTION = 'https://api.hyperstudy.io/api/v3';

/** A page begins with records of the page before it, which have to come again: a smaller one has no room for others. */
const SMALLEST_PAGE = 10;

/** The URL of the API, the key, and how many requests may be sent. */
export function apiSchema() {
  return group({
    baseUrl: z
      .string()
      .default(PRODUCTION)
      .transform(checkBaseUrl)
      .describe('The URL of the API. The environment variable HYPERSTUDY_BASE_URL takes precedence.'),
    key: z
      .string('must be a string')
      .optional()
      .describe(
        'The API key, preferably as `${HYPERSTUDY_API_KEY}`. A key written out here is accepted only if no one else can read the file (chmod 600).',
      ),
    keyFile: z
      .string('must be a path')
      .optional()
      .describe('A file that holds only the key (chmod 600). Use either this or `key`.'),
    keyExpires: dateOrNever()
      .optional()
      .describe(
        'When the key expires: a date, a time, or never. HyperStudy shows it only when the key is created. You are warned a week before.',
      ),
    organization: organizationId()
      .optional()
      .describe(
        'The organization whose data to request, such as org_abc123; needed for experiments that others share with it. The environment variable HYPERSTUDY_ORGANIZATION_ID takes precedence.',
      ),
    limits: group({
      perHour: count(100_000).default(1000).describe('Requests that HyperStudy allows per key in any hour.'),
      perEndpointPerMinute: count(10_000)
        .default(100)
        .describe('Requests that HyperStudy allows per key and data type in any minute.'),
      reserve: share(0.9).default(0.1).describe('The share of both limits that is left to your own scripts.'),
    }).prefault({}),
    pageSize: z
      .union(
        [z.literal('auto'), count(10_000, SMALLEST_PAGE)],
        `must be auto or an integer from ${SMALLEST_PAGE} to 10000`,
      )
      .default('auto')
      .describe('Records per request; `auto` learns how many each endpoint serves.'),
    concurrency: count(20).default(4).describe('Requests sent at the same time.'),
    timeout: duration('1s', '1h').prefault('60s').describe('How long one request may take.'),
  });
}

function checkBaseUrl(text: string, context: z.RefinementCtx): string {
  const problem = (message: string) => context.addIssue({ code: 'custom', message });
  if (!URL.canParse(text)) {
    problem('must be a URL such as https://api.hyperstudy.io/api/v3');
    return text;
  }
  const url = new URL(text);
  const found = addressProblem(url);
  if (found !== undefined) problem(`${found}, because the key is sent there`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    problem('must be a URL without user, query or fragment');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
