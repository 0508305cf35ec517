// Writes XML the way S3 does, by template strings: documents are small, known in shape and written often.
// Characters that XML 1.0 cannot hold are written as references (`&#x1;`), as S3 does: strict parsers refuse such a document,
// and `encoding-type=url` is the way to list such keys.

import { isoTimeText } from './moment-texts.ts';

/** The namespace of S3's documents. */
const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** The first line of every document. */
export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** A whole document in S3's namespace; `content` is XML already. */
export function writeDocument(rootName: string, content: string): string {
  return `${xmlDeclaration}<${rootName} xmlns="${s3Namespace}">${content}</${rootName}>`;
}

/** `<name>value</name>`, the value escaped; nothing at all for `undefined`. */
export function writeElement(name: string, value: string | number | boolean | undefined): string {
  if (value === undefined) return '';
  return `<${name}>${typeof value === 'string' ? escapeXml(value) : value}</${name}>`;
}

/** A moment as S3 writes it: `2009-10-12T17:50:30.000Z`. */
export function writeTime(name: string, timeMs: number): string {
  return `<${name}>${isoTimeText(timeMs)}</${name}>`;
}

/** An ETag in its quotes, which S3 escapes. */
export function writeEtag(etag: string): string {
  return `<ETag>&quot;${escapeXml(etag)}&quot;</ETag>`;
}

/** Text that may stand in an element or a quoted attribute. */
export function escapeXml(text: string): string {
  return needsEscape.test(text) ? text.replace(everyEscape, escapeCharacter) : text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped.
const needsEscape = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/;
// Surrogates are matched to find lone ones; with the u flag a pair is one character outside the range.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped.
const everyEscape = /[&<>"\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu;

function escapeCharacter(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '"':
      return '&quot;';
    default: {
      const code = character.charCodeAt(0);
      // A lone surrogate has no character at all; U+FFFD is what UTF-8 encoders make of it.
      return code >= 0xd800 && code <= 0xdfff ? '\ufffd' : `&#x${code.toString(16)};`;
    }
  }
}
