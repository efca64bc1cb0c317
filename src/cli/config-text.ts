import { pathToFileURL } from 'node:url';
import { packaged } from '../shared/package.ts';

/** Lets editors complete and check the file. */
const JSON_SCHEMA = pathToFileURL(packaged('config.schema.json')).href;

/** The configuration that `hsw init` writes. */
export function configText({
  baseUrl,
  organization,
  keyLine,
  keyExpires,
  chosen,
  warehouse,
}: {
  baseUrl: string;
  organization: string | undefined;
  keyLine: string;
  keyExpires: string | undefined;
  chosen: readonly string[] | 'all';
  warehouse: string;
}): string {
  const experiments =
    chosen === 'all'
      ? '  - all: true # every experiment that the key can see'
      : chosen.map((id) => `  - id: ${JSON.stringify(id)}`).join('\n');
  return `# yaml-language-server: $schema=${JSON_SCHEMA}
# Made by hsw init. config.example.yaml explains every key and its default.
api:
  baseUrl: ${baseUrl}
  ${organization === undefined ? '# organization: org_abc123 # your organization, if experiments are shared with it' : `organization: ${JSON.stringify(organization)}`}
  ${keyLine}
  ${keyExpires === undefined ? '# keyExpires: 2027-05-01 # when this key expires, as shown by HyperStudy; you are warned a week before' : `keyExpires: ${keyExpires}`}
warehouse:
  path: ${JSON.stringify(warehouse)}
data: all # or a list such as [events, chat, ratings/continuous]
experiments:
${experiments}
`;
}
