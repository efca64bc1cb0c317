import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';

/** A certificate for this computer, signed by no authority, and its key; for tests only. */
export const CERTIFICATE = join(import.meta.dirname, 'localhost.pem');

export interface MailServerOptions {
  /** `always`: from the first byte; `starttls`: when asked for. */
  readonly tls?: 'always' | 'starttls';
  /** Who may log in; without it no one need. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Addresses that are refused. */
  readonly refused?: readonly string[];
  /** Says nothing, or goes on talking without an end. */
  readonly mood?: 'silent' | 'endless';
}

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

/** A mail server that speaks as much SMTP as one message needs (RFC 5321, RFC 3207, RFC 4954). */
export async function startMailServer(options: MailServerOptions = {}) {
  const mails: ReceivedMail[] = [];
  /** What came before TLS. */
  let inPlain = '';
  const pem = readFileSync(CERTIFICATE);
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (options.mood === 'silent') return;
    if (options.mood === 'endless') {
      const timer = setInterval(() => socket.write('220-patience\r\n'), 50);
      socket.on('close', () => clearInterval(timer));
      return;
    }
    converse(socket, options, pem, {
      onMail: (mail) => mails.push(mail),
      onPlain: (text) => (inPlain += text),
    });
  };
  const server = options.tls === 'always' ? createTlsServer({ cert: pem, key: pem }, serve) : createServer(serve);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    get inPlain() {
      return inPlain;
    },
  };
}

function converse(
  first: Socket,
  options: MailServerOptions,
  pem: Buffer,
  { onMail, onPlain }: { onMail: (mail: ReceivedMail) => void; onPlain: (text: string) => void },
): void {
  let socket = first;
  let isSecure = options.tls === 'always';
  let isKnown = options.login === undefined;
  let [from, to, lines]: [string, string[], string[] | undefined] = ['', [], undefined];
  let rest = '';
  const say = (line: string) => socket.write(`${line}\r\n`);
  const answer = (line: string) => {
    if (lines !== undefined) {
      if (line !== '.') {
        lines.push(line.replace(/^\./, ''));
        return;
      }
      onMail({ from, to, text: lines.join('\n') });
      lines = undefined;
      say('250 taken');
      return;
    }
    const address = /<(.*)>/.exec(line)?.[1] ?? '';
    const command = line.slice(0, 4).toUpperCase();
    if (command === 'EHLO') {
      if (options.tls === 'starttls' && !isSecure) say('250-STARTTLS');
      if (options.login !== undefined) say('250-AUTH PLAIN');
      say('250 SIZE 1000000');
    } else if (command === 'STAR') {
      say('220 go on');
      socket.removeAllListeners('data');
      socket = new TLSSocket(socket, { isServer: true, cert: pem, key: pem });
      socket.on('error', () => undefined);
      isSecure = true;
      listen();
    } else if (command === 'AUTH') {
      const [, user, password] = Buffer.from(line.split(' ')[2] ?? '', 'base64')
        .toString()
        .split('\0');
      isKnown = user === options.login?.user && password === options.login?.password;
      // Some servers repeat what they were sent.
      say(isKnown ? '235 welcome' : `535 no such user: ${line} ${password ?? ''}`);
    } else if (command === 'MAIL') {
      [from, to] = [address, []];
      say(isKnown ? '250 fine' : '530 log in first');
    } else if (command === 'RCPT') {
      const isRefused = options.refused?.includes(address) === true;
      if (!isRefused) to.push(address);
      say(isRefused ? `550 unknown ${address}` : '250 fine');
    } else if (command === 'DATA') {
      lines = [];
      say('354 go on');
    } else if (command === 'QUIT') {
      say('221 bye');
      socket.end();
    } else say('250 fine');
  };
  const listen = () =>
    socket.on('data', (chunk: Buffer) => {
      if (!isSecure) onPlain(chunk.toString());
      const [tail = '', ...whole] = `${rest}${chunk.toString()}`.split('\r\n').reverse();
      rest = tail;
      for (const line of whole.reverse()) answer(line);
    });
  listen();
  say('220 mail.test');
}
