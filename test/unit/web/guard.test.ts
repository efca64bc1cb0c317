import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/shared/log.ts';
import { createTickets } from '../../../src/web/tickets.ts';
import { onlyLoopbackHosts, onlyReads, requireToken, secureHeaders } from '../../../src/web/guard.ts';

const TOKEN = 'open-sesame-0123456789';

const behind = (...guards: Parameters<Hono['use']>[1][]) => {
  const app = new Hono();
  for (const guard of guards) app.use('*', guard);
  app.all('*', (c) => c.text('inside'));
  return app;
};

describe('a request', () => {
  it.each([
    ['localhost:8788', 200],
    ['127.0.0.1:8788', 200],
    ['[::1]:8788', 200],
    ['lab.example.org', 403],
    ['127.0.0.1.example.org', 403],
    ['', 403],
  ])('for the host %j is answered with %i on a loopback address', async (host, status) => {
    const answer = await behind(onlyLoopbackHosts(silentLog)).request('/', { headers: { host } });
    expect(answer.status).toBe(status);
  });

  it.each([
    ['GET', 200],
    ['HEAD', 200],
    ['POST', 405],
    ['DELETE', 405],
  ])('with the method %s is answered with %i', async (method, status) => {
    const answer = await behind(onlyReads).request('/', { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD' : null);
  });

  it('is answered with headers that forbid caching, framing and content from elsewhere', async () => {
    const { headers } = await behind(secureHeaders("default-src 'none'")).request('/');
    expect([
      headers.get('content-security-policy'),
      headers.get('cache-control'),
      headers.get('x-frame-options'),
    ]).toEqual(["default-src 'none'", 'no-store', 'DENY']);
  });
});

describe('a token', () => {
  const refuseLate = () => Promise.resolve();
  const app = behind(requireToken({ token: TOKEN, tickets: createTickets(), refuseLate, port: () => 8788 }));
  const bearer = (token: string) => app.request('/metrics', { headers: { authorization: `Bearer ${token}` } });

  it('lets in a request that has it, and none that has another one or none', async () => {
    expect((await bearer(TOKEN)).status).toBe(200);
    expect((await bearer(TOKEN.slice(1))).status).toBe(401);
    expect((await app.request('/metrics')).status).toBe(401);
  });

  it('is exchanged for a cookie that does not contain it, and is removed from the address', async () => {
    const first = await app.request(`/streams?token=${TOKEN}&page=2`);
    expect([first.status, first.headers.get('location')]).toEqual([303, '/streams?page=2']);
    const cookie = first.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^hsw_8788=\S+; .*HttpOnly; SameSite=Strict/);
    expect(cookie).not.toContain(TOKEN);
    const [pair = ''] = cookie.split(';');
    expect((await app.request('/', { headers: { cookie: pair } })).status).toBe(200);
    expect((await app.request('/', { headers: { cookie: `${pair}x` } })).status).toBe(401);
  });

  it('in an address redirects to no other host', async () => {
    const answer = await app.request(`http://localhost//evil.example.org/?token=${TOKEN}`);
    expect(answer.headers.get('location')).toBe('/evil.example.org/');
  });

  it('is asked for by a page if a browser lacks it, and by an error in JSON if another program does', async () => {
    const page = await app.request('/', { headers: { accept: 'text/html' } });
    expect([page.status, await page.text()]).toEqual([401, expect.stringContaining('<form') as string]);
    expect(await (await app.request('/api/status')).json()).toMatchObject({ status: 'refused' });
  });
});
