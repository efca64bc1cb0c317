import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Log } from '../shared/log.ts';
import { isLoopback } from '../shared/loopback.ts';
import { signIn, type Wrong } from './dashboard/sign-in.ts';
import type { Tickets } from './tickets.ts';
import type { RefuseLate } from './wrong-tokens.ts';

/** Headers of every response: nothing is cached, framed, sniffed, or loaded from elsewhere. */
export function secureHeaders(contentSecurityPolicy: string): MiddlewareHandler {
  return async (c, next) => {
    c.header('Content-Security-Policy', contentSecurityPolicy);
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('X-Frame-Options', 'DENY');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    c.header('Cache-Control', 'no-store');
    await next();
  };
}

/**
 * On a loopback address, refuses requests for another host name: a foreign web page can point its own name at 127.0.0.1
 * (DNS rebinding) and would read the responses.
 */
export function onlyLoopbackHosts(log: Log): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header('host') ?? '';
    if (isLoopback(host.replace(/:\d+$/, ''))) return next();
    log.warn({ path: c.req.path.slice(0, 200) }, 'refused a request for another host name');
    return c.json(
      { status: 'refused', reasons: ['This server answers only requests for localhost and 127.0.0.1.'] },
      403,
    );
  };
}

/** The server changes nothing, so it refuses requests that could. */
export const onlyReads: MiddlewareHandler = async (c, next) => {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
  c.header('Allow', 'GET, HEAD');
  return c.json({ status: 'refused', reasons: ['Only GET and HEAD are allowed.'] }, 405);
};

/** What lets a request in. */
export interface Admission {
  readonly token: string;
  readonly tickets: Tickets;
  readonly refuseLate: RefuseLate;
  readonly port: () => number;
}

/**
 * Lets a request through that carries the token as `Authorization: Bearer …` or as the cookie that `?token=…`, or a
 * link that works once, was exchanged for. The cookie holds a value derived from the token, so that the token itself is not kept by the browser;
 * its name holds the port, as browsers share cookies between the ports of a host.
 */
export function requireToken({ token, tickets, refuseLate, port }: Admission): MiddlewareHandler {
  const pass = createHmac('sha256', token).update('hyperstudy-warehouse dashboard').digest('base64url');
  return async (c, next) => {
    const cookie = `hsw_${port()}`;
    const { searchParams, pathname } = new URL(c.req.url);
    const offered = searchParams.get('token');
    const ticket = searchParams.get('ticket');
    const isGuest = ticket !== null && tickets.take(ticket);
    if (isGuest || (offered !== null && isSame(offered, token))) {
      for (const name of ['token', 'ticket']) searchParams.delete(name);
      setCookie(c, cookie, pass, { httpOnly: true, sameSite: 'Strict', path: '/' });
      // A path that begins with two slashes would lead to another host.
      const path = pathname.replace(/^[/\\]+/, '/');
      return c.redirect(searchParams.size === 0 ? path : `${path}?${searchParams.toString()}`, 303);
    }
    const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (bearer !== undefined && isSame(bearer, token)) return next();
    if (isSame(getCookie(c, cookie) ?? '', pass)) return next();
    if (offered !== null || bearer !== undefined || ticket !== null) await refuseLate(c.req.path);
    return unauthorised(c, offered !== null ? 'token' : ticket !== null ? 'ticket' : undefined);
  };
}

function unauthorised(c: Context, wrong: Wrong | undefined) {
  c.header('WWW-Authenticate', 'Bearer realm="hyperstudy-warehouse"');
  if (isPage(c.req.path) && (c.req.header('accept') ?? '').includes('text/html')) {
    return c.html(signIn(new URL(c.req.url), wrong), 401);
  }
  const reason =
    'Send the token as "Authorization: Bearer …", or open the dashboard by the link that `hsw dashboard` prints.';
  return c.json({ status: 'refused', reasons: [reason] }, 401);
}

/** Whether people open it, who can sign in there. */
function isPage(path: string): boolean {
  return path === '/' || /^\/experiments(\/|$)/.test(path);
}

/** Compares in constant time, whatever the position of the first difference. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
