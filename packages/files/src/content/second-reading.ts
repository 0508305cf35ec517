// Bytes that can be read in two ways: an image that is also a page or a script, a document that is also an archive. What they are
// sniffed as is what they are served as, and no browser reads an image as a page (MIME Sniffing §7); so they lose no more than being shown
// in place, where another program than a browser may be the one that looks.

import type { Finding } from './finding.ts';

/** How many bytes at either end are looked through. */
export const endBytes = 64 * 1024;

/** What begins a page or a script; in compressed bytes it does not stand by chance. */
const active = /<(script|html|!doctype\s+html|body|iframe|\?php|svg\s)|javascript:/i;
/** What makes a script out of the first bytes of a GIF or a BMP: a comment, or an assignment to a name. */
const scriptHead = /^(GIF8[79]a|BM)(\/\*|=)/;

/** Looks through what was read of both ends. The latter may be empty. */
export function findActiveContent(firstBytes: Uint8Array, lastBytes: Uint8Array): Finding | undefined {
  const texts = [firstBytes, lastBytes].map((bytes) => Buffer.from(bytes).toString('latin1'));
  if (texts.some((text) => active.test(text)) || scriptHead.test(texts[0] ?? ''))
    return { finding: 'active-content', detail: 'The bytes can also be read as a page or a script.' };
  return undefined;
}
