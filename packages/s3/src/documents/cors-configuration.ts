// `<CORSConfiguration>`: what a bucket allows scripts of other origins. Read with AWS's checks, written as it was given.
// Source: PutBucketCors and CORSRule of the API reference. Matching a request is cors.ts.

import { S3Error } from '../errors.ts';
import { checkChildren, childText, childTexts, malformed, readXml, type XmlElement } from '../xml-reader.ts';
import { writeDocument, writeElement } from '../xml-writer.ts';

/** One rule. A type and not an interface, so that it can be stored as JSON. */
export type CorsRule = {
  readonly id?: string;
  readonly allowedMethods: readonly CorsMethod[];
  /** Each with at most one `*`. */
  readonly allowedOrigins: readonly string[];
  /** Each with at most one `*`. Empty: no preflight that asks for headers is allowed. */
  readonly allowedHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number;
};

const corsMethods = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'] as const;

/** The methods that a rule may allow. */
export type CorsMethod = (typeof corsMethods)[number];

/** "A CORS configuration … can have up to 100 rules" and "is limited to 64 KB in size". */
const maxRules = 100;
const maxDocumentBytes = 65_536;
const maxIdCharacters = 255;

/** @throws S3Error `MalformedXML`, `InvalidRequest` for a rule that AWS does not accept. */
export function readCorsConfigurationDocument(bytes: Uint8Array): readonly CorsRule[] {
  const root = readXml(bytes, 'CORSConfiguration', { maxBytes: maxDocumentBytes, maxDepth: 4 });
  checkChildren(root, ['CORSRule']);
  if (root.children.length === 0) throw malformed('No CORSRule is there; at least one is needed.');
  if (root.children.length > maxRules) {
    throw new S3Error(
      'InvalidRequest',
      `The number of CORS rules should not exceed allowed limit of ${maxRules} rules; there are ${root.children.length}.`,
    );
  }
  return root.children.map(readRule);
}

export function writeCorsConfigurationDocument(rules: readonly CorsRule[]): string {
  return writeDocument('CORSConfiguration', rules.map(writeRule).join(''));
}

function readRule(element: XmlElement): CorsRule {
  checkChildren(element, ['ID', 'AllowedMethod', 'AllowedOrigin', 'AllowedHeader', 'ExposeHeader', 'MaxAgeSeconds']);
  const id = childText(element, 'ID');
  if (id !== undefined && id.length > maxIdCharacters) {
    throw invalid(`The ID of a rule has at most ${maxIdCharacters} characters; this one has ${id.length}.`);
  }
  const allowedMethods = childTexts(element, 'AllowedMethod').map(readMethod);
  const allowedOrigins = childTexts(element, 'AllowedOrigin');
  const allowedHeaders = childTexts(element, 'AllowedHeader');
  const exposeHeaders = childTexts(element, 'ExposeHeader');
  if (allowedMethods.length === 0) throw malformed('A CORSRule needs an AllowedMethod.');
  if (allowedOrigins.length === 0) throw malformed('A CORSRule needs an AllowedOrigin.');
  for (const origin of allowedOrigins) checkPattern('AllowedOrigin', origin);
  for (const header of allowedHeaders) checkPattern('AllowedHeader', header);
  for (const header of exposeHeaders) checkExposed(header);
  const maxAgeSeconds = readMaxAge(childText(element, 'MaxAgeSeconds'));
  return {
    ...(id === undefined ? {} : { id }),
    allowedMethods,
    allowedOrigins,
    allowedHeaders,
    exposeHeaders,
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  };
}

function readMethod(text: string): CorsMethod {
  const method = corsMethods.find((known) => known === text);
  if (method === undefined) {
    throw invalid(`Found unsupported HTTP method in CORS config. Unsupported method is ${text}`);
  }
  return method;
}

function checkPattern(element: string, text: string): void {
  if (text.split('*').length > 2) throw invalid(`${element} "${text}" can not have more than one wildcard.`);
  // What goes out in a header must fit in one.
  if (!/^[\x21-\x7e]+$/.test(text))
    throw invalid(`${element} "${text}" is empty or holds a character no header can have.`);
}

function checkExposed(text: string): void {
  if (text.includes('*')) {
    throw invalid(`ExposeHeader "${text}" contains wildcard. We currently do not support wildcard for ExposeHeader.`);
  }
  if (!/^[!#$%&'+.^_`|~\w-]+$/.test(text)) throw invalid(`ExposeHeader "${text}" is not the name of a header.`);
}

function readMaxAge(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw malformed(`MaxAgeSeconds is ${text}; expected was a number of seconds.`);
  return Number(text);
}

function writeRule(rule: CorsRule): string {
  return (
    `<CORSRule>${writeElement('ID', rule.id)}` +
    rule.allowedMethods.map((method) => writeElement('AllowedMethod', method)).join('') +
    rule.allowedOrigins.map((origin) => writeElement('AllowedOrigin', origin)).join('') +
    rule.allowedHeaders.map((header) => writeElement('AllowedHeader', header)).join('') +
    rule.exposeHeaders.map((header) => writeElement('ExposeHeader', header)).join('') +
    `${writeElement('MaxAgeSeconds', rule.maxAgeSeconds)}</CORSRule>`
  );
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', message);
}
