// Bytes that can be read in two ways: an image that is also a page or a script. What they are sniffed as is what they are served as,
// and no browser reads an image as a page (MIME Sniffing §7) or runs one as a script (Fetch §2.9); so they lose no more than being
// shown in place, where it may be another program than a browser that looks.

import type { Finding } from './finding.ts';

/** How many of the last bytes are looked through: as many as the end of a ZIP archive may take. */
export const endBytes = 22 + 0xffff;
/** How many of the first bytes of anything else: no browser takes more to tell a page by. */
const sniffedPageBytes = 1445;

/** What begins a page or a script; in compressed bytes it does not stand by chance. */
const active = /<(script|html|!doctype\s+html|body|iframe|\?php|svg\s)|javascript:/i;
/** What makes a script out of the first bytes of a GIF or a BMP: a comment, or an assignment to a name. */
const scriptHead = /^(GIF8[79]a|BM)(\/\*|=)/;

/** Looks through what was read of both ends; of what is no image, only through the beginning. */
export function findActiveContent(
  contentType: string,
  ends: { readonly firstBytes: Uint8Array; readonly lastBytes: Uint8Array },
): Finding | undefined {
  const isImage = contentType.startsWith('image/');
  const first = textOf(isImage ? ends.firstBytes : ends.firstBytes.subarray(0, sniffedPageBytes));
  const last = isImage ? textOf(ends.lastBytes) : '';
  if (!active.test(first) && !active.test(last) && !scriptHead.test(first)) return undefined;
  return { finding: 'active-content', detail: 'The bytes can also be read as a page or a script.' };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
