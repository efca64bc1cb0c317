import { createTransport } from 'nodemailer';
import { z } from 'zod';
import type { SmtpConfig } from '../config/alerts.ts';
import { isLoopback } from '../shared/loopback.ts';
import type { Message } from './incidents.ts';
import { DEADLINE_MS, networkWords, type Channel, type Failure } from './channel.ts';

/**
 * Sends a message by mail. TLS is required and its certificate checked, except to this computer, which is used without
 * TLS. Errors are reported without the server's own words, which may repeat what it was sent.
 * @param source the sender that the mail names.
 */
export function mailChannel(smtp: SmtpConfig, source: string, deadlineMs = DEADLINE_MS): Channel {
  const { host, port, secure, login, from, to } = smtp;
  const isHere = isLoopback(host);
  return {
    name: 'smtp',
    async send(message, signal) {
      const transport = createTransport({
        host,
        port,
        secure,
        requireTLS: !secure && !isHere,
        ignoreTLS: !secure && isHere,
        ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password }, forceAuth: true }),
        tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2' },
        connectionTimeout: deadlineMs,
        greetingTimeout: deadlineMs,
        socketTimeout: deadlineMs,
        dnsTimeout: deadlineMs,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      // A server that keeps sending would never reach those timeouts.
      const deadline = AbortSignal.timeout(deadlineMs);
      const mail = { ...mailOf(message, source), from, to: [...to], signal: AbortSignal.any([signal, deadline]) };
      try {
        const { rejected } = await transport.sendMail(mail);
        return rejected.length === 0 ? undefined : partlyRefused(rejected.length, to.length);
      } catch (error) {
        signal.throwIfAborted();
        return failureOf(error, deadlineMs);
      } finally {
        transport.close();
      }
    },
  };
}

function mailOf({ state, subject, text, hint, at }: Message, source: string) {
  const title = { problem: 'Problem: ', reminder: '', recovered: 'Over: ', test: '' }[state];
  return {
    subject: `[hyperstudy-warehouse] ${title}${subject}`,
    text: `${text}\n\n${hint}\n\n-- \n${source}\n`,
    date: new Date(at),
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

function partlyRefused(refused: number, all: number): Failure {
  return {
    problem: `the mail server refused ${refused} of ${all} addresses in alerts.smtp.to; the others received it`,
    hint: 'Check each address: `hsw alerts test` sends to all of them.',
    passing: false,
    partly: true,
  };
}

/** The parts of nodemailer's error that are used. */
const errorSchema = z.object({ code: z.string().catch(''), responseCode: z.number().optional().catch(undefined) });

function failureOf(error: unknown, deadlineMs: number): Failure {
  const { code, responseCode } = errorSchema.catch({ code: '' }).parse(error);
  const answer = responseCode === undefined ? '' : ` (it answered with ${responseCode})`;
  const passing = responseCode !== undefined && responseCode < 500;
  if (code === 'EAUTH')
    return {
      problem: `the mail server did not accept the user name and password${answer}`,
      hint: 'Check alerts.smtp.user and the file in alerts.smtp.passwordFile; some servers require an app password.',
      passing,
    };
  if (code === 'EENVELOPE' || code === 'EMESSAGE')
    return {
      problem: `the mail server did not accept the message${answer}`,
      hint: 'Check alerts.smtp.from and .to, and whether the server requires user and passwordFile.',
      passing,
    };
  const { words, passing: mayPass } = networkWords(error, deadlineMs);
  return {
    problem: `the mail server cannot be used: ${words}${answer}`,
    hint: 'Check alerts.smtp.host, .port and .secure (true for port 465, false for 587, which then needs STARTTLS), and its certificate.',
    passing: mayPass,
  };
}
