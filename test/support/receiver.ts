import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const Received = z.object({
  source: z.string(),
  kind: z.string(),
  state: z.string(),
  subject: z.string(),
  text: z.string(),
});
export type Received = z.infer<typeof Received>;

/** A web server that takes alerts, and answers with a status that the test may change. Its path is a secret. */
export async function startReceiver(path: string) {
  const received: Received[] = [];
  const answer = { status: 200 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push(Received.parse(JSON.parse(Buffer.concat(chunks).toString())));
      response.writeHead(request.url === path ? answer.status : 404).end(`no luck with ${path}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const of = (kind: string) =>
    received.filter((message) => message.kind === kind).map(({ state, subject }) => `${state}: ${subject}`);
  return { url: `http://127.0.0.1:${port}${path}`, received, answer, of };
}
