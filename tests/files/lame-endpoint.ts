// Stands before an endpoint and makes it worse: refuses, keeps silent, or answers otherwise than the one behind it did. What it does
// not touch passes unchanged, Host included, so that signatures stay good.

import {
  type ClientRequest,
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { type Lifetime, listen } from '../servers/listen.ts';

interface Asked {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface LameEndpoint {
  readonly endpoint: string;
  /** Requests that came, in order. */
  readonly asked: readonly Asked[];
  /**
   * Asked before a request goes on: another status instead, silence for as long as the client waits, or a promise until which it is
   * held; then it goes on, whether or not the client has gone. Default: it goes on.
   */
  hinder: (asked: Asked) => number | 'silent' | Promise<void> | undefined;
  /** Asked what to answer instead. Default: the answer as it came. */
  amend: (answer: Answer, asked: Asked) => Partial<Answer> | undefined;
}

/** Requests that are remembered. */
const maxAsked = 100_000;

export async function startLameEndpoint(t: Lifetime, target: string): Promise<LameEndpoint> {
  const asked: Asked[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const request = { method, url, headers };
    if (asked.length < maxAsked) asked.push(request);
    const hindrance = lame.hinder(request);
    if (hindrance instanceof Promise) {
      void hindrance.then(() => pass(incoming, outgoing, request));
      return;
    }
    if (hindrance !== undefined) {
      incoming.resume();
      if (hindrance === 'silent') return;
      const body = '<Error><Code>Hindered</Code></Error>';
      incoming.on('end', () => outgoing.writeHead(hindrance, { 'content-type': 'application/xml' }).end(body));
      return;
    }
    const onward = pass(incoming, outgoing, request);
    outgoing.on('close', () => onward.destroy());
  });

  function pass(incoming: IncomingMessage, outgoing: ServerResponse, request: Asked): ClientRequest {
    const { method, url, headers } = request;
    const onward = forward({ hostname, port, method, path: url, headers, agent: false }, (reply: IncomingMessage) => {
      const answer = { status: reply.statusCode ?? 502, headers: reply.headers };
      const amended = { ...answer, ...lame.amend(answer, request) };
      outgoing.writeHead(amended.status, amended.headers);
      reply.pipe(outgoing);
    });
    onward.on('error', () => incoming.socket.destroy());
    // Who was held may have gone; what a test holds has no body.
    if (incoming.destroyed) onward.end();
    else incoming.pipe(onward);
    return onward;
  }
  const lame: LameEndpoint = {
    endpoint: await listen(t, server),
    asked,
    hinder: () => undefined,
    amend: () => undefined,
  };
  return lame;
}
