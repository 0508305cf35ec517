// A queue that speaks as much of SQS as a poller needs, by its JSON protocol, and that behaves as a queue may: it loses answers, gives
// messages twice and in any order, and again when they were not deleted. Spec: AWS JSON 1.0, ReceiveMessage, DeleteMessageBatch.

import { hash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { type Lifetime, listen } from './listen.ts';

interface SqsServer {
  readonly queueUrl: string;
  readonly endpoint: string;
  /** Puts a message into the queue. */
  push(body: string): void;
  /** Messages that were not deleted. */
  readonly left: number;
  /** How often messages were given out. */
  readonly given: number;
  /** Answers that are lost from now on: the deed was done. */
  loseAnswers: number;
  /** Requests that are refused with 500 from now on. */
  fail: number;
}

interface Message {
  readonly body: string;
  readonly handles: string[];
  receives: number;
  hiddenUntilMs: number;
}

/** How long a message that was given out is not given again. */
const visibilityMs = 150;

export async function startSqsServer(t: Lifetime): Promise<SqsServer> {
  const messages = new Set<Message>();
  const server = createServer((incoming, outgoing) => {
    void readJson(incoming).then(async (request) => {
      const action = String(incoming.headers['x-amz-target'] ?? '').replace('AmazonSQS.', '');
      const answer = (status: number, body: object): void => {
        if (queue.loseAnswers > 0) {
          queue.loseAnswers--;
          incoming.socket.destroy();
          return;
        }
        outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
      };
      if (queue.fail > 0) {
        queue.fail--;
        answer(500, { __type: 'com.amazonaws.sqs#InternalFailure', message: 'Injected.' });
      } else if (action === 'ReceiveMessage') answer(200, { Messages: await receive(request) });
      else if (action === 'DeleteMessageBatch') answer(200, remove(request));
      else answer(400, { __type: 'com.amazonaws.sqs#UnsupportedOperation', message: action });
    });
  });
  const endpoint = await listen(t, server);
  let given = 0;
  const queue: SqsServer = {
    endpoint,
    queueUrl: `${endpoint}/000000000000/events`,
    push: (body) => void messages.add({ body, handles: [], receives: 0, hiddenUntilMs: 0 }),
    get left() {
      return messages.size;
    },
    get given() {
      return given;
    },
    loseAnswers: 0,
    fail: 0,
  };

  /** Waits as long as the poller lets it, backwards, and some messages twice. */
  async function receive({ WaitTimeSeconds: seconds, MaxNumberOfMessages: limit }: Record<string, unknown>) {
    const deadline = Date.now() + Number(seconds) * 1000;
    for (;;) {
      const due = [...messages].filter(({ hiddenUntilMs }) => hiddenUntilMs <= Date.now()).reverse();
      if (due.length === 0 && Date.now() < deadline && server.listening) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      const [first] = due;
      const doubled = first === undefined ? [] : [...due, first];
      return doubled.slice(0, Number(limit)).map((message) => {
        given++;
        message.receives++;
        message.hiddenUntilMs = Date.now() + visibilityMs;
        const handle = `handle-${given}`;
        message.handles.push(handle);
        return {
          MessageId: `message-${given}`,
          ReceiptHandle: handle,
          Body: message.body,
          MD5OfBody: hash('md5', message.body),
          Attributes: { ApproximateReceiveCount: String(message.receives) },
        };
      });
    }
  }

  function remove({ Entries: entries }: Record<string, unknown>): object {
    const list = entries as readonly { readonly Id: string; readonly ReceiptHandle: string }[]; // as the SDK sends it
    for (const { ReceiptHandle: handle } of list) {
      for (const message of messages) if (message.handles.includes(handle)) messages.delete(message);
    }
    return { Successful: list.map(({ Id }) => ({ Id })), Failed: [] };
  }

  return queue;
}

async function readJson(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of incoming) text += String(chunk);
  return JSON.parse(text) as Record<string, unknown>; // the SDK sends objects
}
