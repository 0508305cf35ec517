// The document of an error: `<Error>` ("REST error responses"). It has no namespace.

import type { S3Error } from '../errors.ts';
import { escapeXml, writeElement, xmlDeclaration } from '../xml-writer.ts';

/** What the answer is about, beside the error itself. */
export interface ErrorContext {
  /** What `x-amz-request-id` says. */
  readonly requestId: string;
  /** What `x-amz-id-2` says. */
  readonly hostId: string;
  /** The bucket or object, as a path; left out when unknown. */
  readonly resource?: string;
}

/** Code, message, the error's details as elements of their names, resource and ids. Never the cause. */
export function writeErrorDocument(error: S3Error, context: ErrorContext): string {
  let details = '';
  for (const [name, value] of Object.entries(error.details ?? {})) details += writeElement(name, value);
  return (
    `${xmlDeclaration}<Error><Code>${error.code}</Code><Message>${escapeXml(error.message)}</Message>${details}` +
    writeElement('Resource', context.resource) +
    writeElement('RequestId', context.requestId) +
    writeElement('HostId', context.hostId) +
    '</Error>'
  );
}
