// docs/errors.md: every code that a caller can meet, from the tables that the code itself throws from.

import { code, heading, table } from './markdown.ts';

interface ErrorTables {
  readonly s3Errors: Readonly<Record<string, { readonly status: number; readonly message: string }>>;
  readonly storeErrors: Readonly<Record<string, string>>;
  readonly problems: Readonly<Record<string, { readonly status: number; readonly title: string }>>;
  readonly clientFaults: Readonly<Record<string, { readonly message: string; readonly retryable: boolean }>>;
}

export function renderErrors({ s3Errors, storeErrors, problems, clientFaults }: ErrorTables): string {
  const s3 = Object.entries(s3Errors).map(([name, { status, message }]) => [code(name), String(status), message]);
  const service = Object.entries(problems).map(([name, { status, title }]) => [code(name), String(status), title]);
  const store = Object.entries(storeErrors).map(([name, text]) => [code(name), text]);
  const client = Object.entries(clientFaults).map(([name, { message, retryable }]) => [
    code(name),
    retryable ? 'yes' : '',
    message,
  ]);
  return `${[
    heading('Errors'),
    'Test the code, never the message: codes are stable, messages say what came, what was expected and what to do.',
    '## The S3 engine\n\nXML as S3 answers it: `<Error><Code>…</Code><Message>…</Message>…`.',
    table(['Code', 'Status', 'Message when nothing more is known'], s3),
    '## The file service\n\nRFC 9457 problems, `application/problem+json`, with the code in `code` and in `type`.',
    table(['Code', 'Status', 'Title'], service),
    '## The client\n\n`ClientError`: the codes of the file service, and those for what never reached it.',
    table(['Code', 'Tried again', 'Message when nothing more is known'], client),
    '## The store\n\n`StoreError`, for those who use `@stowage/store` as a library; the engine maps each to one of S3.',
    table(['Code', 'Meaning'], store),
  ].join('\n\n')}\n`;
}
