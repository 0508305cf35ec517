// What a file's first bytes say it is, against what it was announced as. A small table of rules: the sniffed type wins, and a
// program that calls itself something else is refused. Which types a tenant allows at all is another question.

import { fileTypeFromBuffer } from 'file-type';

interface Announcement {
  readonly name: string;
  readonly declaredType: string;
}

type Verdict =
  | { readonly accepted: true; readonly contentType: string }
  | { readonly accepted: false; readonly reason: string };

/** How many of the first bytes are looked at. */
export const sniffedBytes = 64 * 1024;

/** Judges by the first bytes, at most `sniffedBytes` of them. */
export async function judgeContent(announced: Announcement, firstBytes: Uint8Array): Promise<Verdict> {
  const sniffed = programType(firstBytes) ?? (await fileTypeFromBuffer(firstBytes))?.mime;
  if (sniffed === undefined) return { accepted: true, contentType: unrecognised(announced, firstBytes) };
  if (programTypes.has(sniffed) && !calledProgram(announced)) {
    return {
      accepted: false,
      reason: `The file is a program (${sniffed}) but was announced as ${announced.declaredType} under a name that does not say so.`,
    };
  }
  for (const kind of mediaKinds) {
    if (announced.declaredType.startsWith(kind) && foreignTo(kind, sniffed)) {
      return {
        accepted: false,
        reason: `The file was announced as ${announced.declaredType}, but its bytes are ${sniffed}.`,
      };
    }
  }
  return { accepted: true, contentType: refines(announced.declaredType, sniffed) ? announced.declaredType : sniffed };
}

/** Types of which a preview is made. */
export function isPreviewable(contentType: string): boolean {
  return previewableTypes.has(contentType);
}

/** Types that a browser may show in place: none of them runs a script. */
export function isSafeInline(contentType: string): boolean {
  return inlineTypes.has(contentType);
}

const programTypes: ReadonlySet<string> = new Set([
  'application/x-msdownload',
  'application/x-elf',
  'application/x-mach-binary',
  'application/java-vm',
  'application/wasm',
]);

/** Endings under which a program is called what it is. Without an ending is how programs are called on Unix. */
const programName =
  /\.(exe|dll|sys|scr|com|ocx|cpl|drv|efi|msi|elf|so(\.\d+)*|o|ko|bin|run|appimage|dylib|bundle|class|wasm|node)$/i;
const namedTypes = /^application\/(octet-stream|x-.*|vnd\.microsoft\.portable-executable|java-vm|wasm)$/;

function calledProgram({ name, declaredType }: Announcement): boolean {
  return namedTypes.test(declaredType) && (programName.test(name) || !name.includes('.'));
}

/** MZ and ELF by themselves: of a cut or odd program, the magic is enough to judge by. */
function programType(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0x4d && bytes[1] === 0x5a && bytes.length >= 64) return 'application/x-msdownload';
  if (bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46) return 'application/x-elf';
  return undefined;
}

const mediaKinds = ['image/', 'video/', 'audio/'] as const;

/** Whether bytes of the sniffed type are no image, or nothing to be heard or seen. */
function foreignTo(kind: (typeof mediaKinds)[number], sniffed: string): boolean {
  if (sniffed.startsWith(kind)) return false;
  if (kind === 'image/')
    return sniffed !== 'application/xml' && sniffed !== 'application/pdf' && sniffed !== 'application/postscript';
  // Containers of sound and of pictures are told apart badly by their first bytes.
  return !/^(audio|video)\/|^application\/(ogg|mp4|vnd\.ms-asf|x-matroska)/.test(sniffed);
}

/** Formats that are kept in a general container: the first bytes show the container, the announcement says the format. */
function refines(declared: string, sniffed: string): boolean {
  switch (sniffed) {
    case 'application/zip':
      return /^application\/(vnd\.|epub\+zip|java-archive|x-zip)/.test(declared);
    case 'application/xml':
      return /^(image\/svg\+xml|text\/xml|application\/[a-z0-9.+-]*\+?xml)$/.test(declared);
    case 'application/x-cfb':
      return /^application\/(msword|vnd\.ms-)/.test(declared);
    default:
      return false;
  }
}

/** Bytes of no known format: text keeps its announced kind, anything else is just bytes. */
function unrecognised({ declaredType }: Announcement, bytes: Uint8Array): string {
  if (bytes.length === 0) return declaredType;
  if (!isText(bytes)) return 'application/octet-stream';
  const textual = /^text\/|^application\/([a-z0-9.-]+\+)?(json|xml|yaml|javascript|sql|toml|x-sh)$|^image\/svg\+xml$/;
  return textual.test(declaredType) ? declaredType : 'text/plain';
}

/** UTF-8 without control characters other than white space; a character cut at the end is forgiven. */
function isText(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b))) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: bytes.length >= sniffedBytes });
    return true;
  } catch {
    // Not UTF-8 is an answer, not a fault.
    return false;
  }
}

const previewableTypes: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/avif',
  'image/tiff',
]);

const inlineTypes: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/apng',
  'image/webp',
  'image/gif',
  'image/avif',
  'application/pdf',
  'text/plain',
  'video/mp4',
  'video/webm',
  'video/quicktime',
  'audio/mpeg',
  'audio/mp4',
  'audio/x-m4a',
  'audio/ogg',
  'audio/wav',
  'audio/flac',
]);
