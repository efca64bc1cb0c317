import { z } from 'zod';
import { addressProblem, duration, group, listOf } from './fields.ts';
import { CREDENTIALS, type SecretSource } from './key.ts';

/** Who is alerted to issues, and when. */
export interface AlertsConfig {
  /** How long a stream may fail or be incomplete before an alert, in milliseconds. */
  readonly afterMs: number;
  /** The share of the disk, from 0 to 1, below which there is too little free space. */
  readonly diskFree: number;
  readonly webhook: WebhookConfig | undefined;
  readonly smtp: SmtpConfig | undefined;
}

export interface WebhookConfig {
  /** A secret: anyone who knows it can write to the channel behind it. */
  readonly url: string;
  readonly format: 'json' | 'slack' | 'mattermost' | 'ntfy';
}

export interface SmtpConfig {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS is required, except on this computer. */
  readonly secure: boolean;
  readonly login: { readonly user: string; readonly password: string } | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

/** The alerts as written in the file: secrets may still be in files. */
export type WrittenAlerts = z.output<ReturnType<typeof alertsSchema>>;

/** `me@example.org`, or `The lab <me@example.org>`. */
const MAIL_ADDRESS = /^(?:[^<>@\r\n]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/;

export function alertsSchema() {
  return group({
    after: duration('0s', '30d')
      .prefault('2h')
      .describe('How long a stream may fail or be incomplete before an alert.'),
    diskFree: z
      .string(SHARE)
      .transform(shareOfDisk)
      .meta({ title: 'share of the disk from 0% to 90%' })
      .prefault('5%')
      .describe('An alert is sent when less than this share of the disk is free; 0% for never.'),
    webhook: webhookSchema().optional(),
    smtp: smtpSchema().optional(),
  });
}

const text = (what: string) => z.string(`must be ${what}`).min(1, `must be ${what}`);

function webhookSchema() {
  return group({
    url: z
      .string('must be a URL')
      .superRefine(checkWebhook)
      .optional()
      .describe('The URL that accepts messages. It is a secret: use `${ALERT_WEBHOOK}` or `urlFile`.'),
    urlFile: text('a path').optional().describe('A file that holds only the URL (chmod 600).'),
    format: z
      .enum(['json', 'slack', 'mattermost', 'ntfy'], 'must be json, slack, mattermost or ntfy')
      .default('json')
      .describe(
        '`json` sends every part as its own field; `slack`, `mattermost` and `ntfy` suit these services and those like them.',
      ),
  }).superRefine(({ url, urlFile }, context) => {
    if (url !== undefined && urlFile !== undefined)
      context.addIssue({ code: 'custom', message: 'must have either url or urlFile' });
  });
}

function smtpSchema() {
  const address = z
    .string('must be an email address')
    .regex(MAIL_ADDRESS, 'must be an email address such as me@example.org');
  return group({
    host: text('the name of a mail server').describe('The mail server.'),
    port: z
      .number('must be an integer from 1 to 65535')
      .int()
      .min(1)
      .max(65_535)
      .default(587)
      .describe('Its port: 587 with STARTTLS, 465 with `secure: true`.'),
    secure: z
      .boolean('must be true or false')
      .default(false)
      .describe('TLS from the start; otherwise STARTTLS is required, except on this computer.'),
    user: text('a string').optional().describe('The login; leave it out if the server needs none.'),
    passwordFile: text('a path').optional().describe('A file that holds only the password (chmod 600).'),
    from: address.describe('The sender.'),
    to: listOf(address).describe('The recipients.'),
  }).superRefine(({ port, secure, user, passwordFile }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (user === undefined && passwordFile !== undefined) issue('passwordFile', 'needs user as well');
    if (port === 465 && !secure) issue('port', 'port 465 uses TLS from the start: set secure: true, or use 587');
  });
}

const SHARE = 'must be a share of the disk from 0% (no alert) to 90%, such as 5%';

function shareOfDisk(text: string, context: z.RefinementCtx): number {
  const percent = Number(/^(\d{1,2}(?:\.\d{1,3})?)\s*%$/.exec(text.trim())?.[1] ?? NaN);
  if (percent <= 90) return percent / 100;
  context.addIssue({ code: 'custom', message: SHARE });
  return z.NEVER;
}

function checkWebhook(text: string, context: z.RefinementCtx): void {
  const problem = webhookProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
}

/** What is wrong with the URL of a webhook, in words that never contain it. */
function webhookProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as https://hooks.example.org/…';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'must be a URL without user and password';
  const problem = addressProblem(url);
  return problem === undefined ? undefined : `${problem}, because alerts contain details of the lab`;
}

/** A mistake in a secret of the alerts, and the setting that names it. */
export interface AlertsProblem {
  readonly at: readonly string[];
  readonly text: string;
}

/** Finds the secrets of the alerts. Without a source, a channel whose secret is not in the file is left out. */
export function resolveAlerts(
  written: WrittenAlerts,
  source: SecretSource | undefined,
): { readonly alerts: AlertsConfig; readonly problems: readonly AlertsProblem[] } {
  const problems: AlertsProblem[] = [];
  const problem = (at: readonly string[], text: string) => problems.push({ at, text });
  const { after, diskFree, webhook, smtp } = written;
  return {
    alerts: {
      afterMs: after,
      diskFree,
      webhook: webhook === undefined ? undefined : findWebhook(webhook, source, problem),
      smtp: smtp === undefined ? undefined : findMailServer(smtp, source, problem),
    },
    problems,
  };
}

type Note = (at: readonly string[], text: string) => void;

function findWebhook(
  { url, urlFile, format }: NonNullable<WrittenAlerts['webhook']>,
  source: SecretSource | undefined,
  problem: Note,
): WebhookConfig | undefined {
  if (url !== undefined) return { url, format };
  const found = source?.(urlFile, CREDENTIALS.webhook);
  if (source === undefined) return undefined;
  const at = urlFile === undefined ? ['webhook'] : ['webhook', 'urlFile'];
  if (found === undefined)
    problem(at, `must have either url or urlFile, as systemd passes no credential ${CREDENTIALS.webhook}`);
  else if ('problem' in found) problem(at, found.problem);
  else {
    const wrong = webhookProblem(found.secret);
    if (wrong === undefined) return { url: found.secret, format };
    problem(at, `what ${urlFile === undefined ? `the credential ${CREDENTIALS.webhook}` : 'the file'} holds ${wrong}`);
  }
  return undefined;
}

function findMailServer(
  smtp: NonNullable<WrittenAlerts['smtp']>,
  source: SecretSource | undefined,
  problem: Note,
): SmtpConfig | undefined {
  const { user, passwordFile } = smtp;
  if (user === undefined) return mailServer(smtp, undefined);
  if (source === undefined) return undefined;
  const found = source(passwordFile, CREDENTIALS.smtpPassword);
  if (found !== undefined && 'secret' in found) return mailServer(smtp, { user, password: found.secret });
  if (found !== undefined) problem(['smtp', passwordFile === undefined ? 'user' : 'passwordFile'], found.problem);
  else
    problem(
      ['smtp', 'user'],
      `needs passwordFile as well, as systemd passes no credential ${CREDENTIALS.smtpPassword}`,
    );
  return undefined;
}

function mailServer(smtp: NonNullable<WrittenAlerts['smtp']>, login: SmtpConfig['login']): SmtpConfig {
  const { host, port, secure, from, to } = smtp;
  return { host, port, secure, login, from, to };
}

/** The secrets of the alerts, so that the log can hide them. */
export function alertSecrets({ webhook, smtp }: AlertsConfig): string[] {
  return [webhook?.url, smtp?.login?.password].filter((secret) => secret !== undefined);
}
