// What type a file gets: what was announced, how it is called and what its first bytes say, as one table. The first rule that applies
// decides.

import type { ContentFinding } from '@stowage/contract';
import { fileTypeFromBuffer } from 'file-type';

export interface Announcement {
  readonly name: string;
  readonly declaredType: string;
}

type TypeVerdict =
  | { readonly accepted: true; readonly contentType: string }
  | { readonly accepted: false; readonly finding: ContentFinding; readonly reason: string };

/** How many of the first bytes are looked at. */
export const sniffedBytes = 64 * 1024;

/** What the rules look at. */
interface Claim extends Announcement {
  /** By the bytes; absent where no known format begins so. */
  readonly sniffed: string | undefined;
  readonly bytes: Uint8Array;
}

interface TypeRule {
  /** In words, for docs/content.md. */
  readonly words: string;
  readonly applies: (claim: Claim) => boolean;
  /** The type, or what the file is refused for. */
  readonly gives: 'the announced type' | 'the type of the bytes' | `${string}/${string}` | RefusingFinding;
}

type RefusingFinding = 'disguised-program' | 'other-kind';

export const typeRules: readonly TypeRule[] = [
  {
    words: 'a program whose type, name and ending do not say so',
    applies: (claim) => isProgram(claim) && !calledProgram(claim),
    gives: 'disguised-program',
  },
  {
    words: 'a script (`#!`) announced or called as something that is no text',
    applies: (claim) => claim.bytes[0] === 0x23 && claim.bytes[1] === 0x21 && isText(claim.bytes) && !calledText(claim),
    gives: 'disguised-program',
  },
  {
    words: 'announced as image, sound or film, and the bytes are of another known format',
    applies: ({ declaredType, sniffed }) =>
      mediaKinds.some((kind) => declaredType.startsWith(kind) && sniffed !== undefined && foreignTo(kind, sniffed)),
    gives: 'other-kind',
  },
  {
    words: 'a general container (ZIP, XML, CFB), announced as a format that is kept in it',
    applies: ({ declaredType, sniffed }) => sniffed !== undefined && refines(declaredType, sniffed),
    gives: 'the announced type',
  },
  { words: 'bytes of a known format', applies: ({ sniffed }) => sniffed !== undefined, gives: 'the type of the bytes' },
  { words: 'no bytes at all', applies: ({ bytes }) => bytes.length === 0, gives: 'the announced type' },
  {
    words: 'bytes that are no text and of no known format',
    applies: ({ bytes }) => !isText(bytes),
    gives: 'application/octet-stream',
  },
  {
    words: 'text, announced as a kind of text',
    applies: ({ declaredType }) => textualType.test(declaredType),
    gives: 'the announced type',
  },
  { words: 'any other text', applies: () => true, gives: 'text/plain' },
];

/** Judges by the first bytes, at most `sniffedBytes` of them. */
export async function judgeType(announced: Announcement, bytes: Uint8Array): Promise<TypeVerdict> {
  const sniffed = programType(bytes) ?? (await fileTypeFromBuffer(bytes))?.mime;
  const claim: Claim = { ...announced, sniffed, bytes };
  const rule = typeRules.find(({ applies }) => applies(claim));
  const gives = rule?.gives ?? 'application/octet-stream';
  switch (gives) {
    case 'disguised-program':
      return {
        accepted: false,
        finding: gives,
        reason: `The file is a program (${sniffed ?? 'a script'}) but was announced as ${announced.declaredType} under a name that does not say so.`,
      };
    case 'other-kind':
      return {
        accepted: false,
        finding: gives,
        reason: `The file was announced as ${announced.declaredType}, but its bytes are ${sniffed}.`,
      };
    case 'the announced type':
      return { accepted: true, contentType: announced.declaredType };
    case 'the type of the bytes':
      return { accepted: true, contentType: sniffed ?? 'application/octet-stream' };
    default:
      return { accepted: true, contentType: gives };
  }
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

const programTypes: ReadonlySet<string> = new Set([
  'application/x-msdownload',
  'application/x-elf',
  'application/x-mach-binary',
  'application/java-vm',
  'application/wasm',
]);

function isProgram({ sniffed }: Claim): boolean {
  return sniffed !== undefined && programTypes.has(sniffed);
}

/** Endings under which a program is called what it is. Without an ending is how programs are called on Unix. */
const programName =
  /\.(exe|dll|sys|scr|com|ocx|cpl|drv|efi|msi|elf|so(\.\d+)*|o|ko|bin|run|appimage|dylib|bundle|class|wasm|node)$/i;
const programDeclared = /^application\/(octet-stream|x-.*|vnd\.microsoft\.portable-executable|java-vm|wasm)$/;
/** `invoice.pdf.exe`, and marks that turn the direction of text: `invoice<U+202E>fdp.exe` reads `invoiceexe.pdf`. */
const hiddenEnding =
  /\.(pdf|docx?|xlsx?|pptx?|odt|rtf|txt|csv|html?|jpe?g|png|gif|webp|heic|mp3|mp4|mov|zip)[\s_]*\.[a-z0-9]+$|[\u200e\u200f\u202a-\u202e\u2066-\u2069]|\s{4,}\.[a-z0-9]+$/i;

function calledProgram({ name, declaredType }: Announcement): boolean {
  return (
    programDeclared.test(declaredType) && (programName.test(name) || !name.includes('.')) && !hiddenEnding.test(name)
  );
}

const textualType = /^text\/|^application\/([a-z0-9.-]+\+)?(json|xml|yaml|javascript|sql|toml|x-sh)$|^image\/svg\+xml$/;
/** Endings of what is certainly no text. */
const binaryName =
  /\.(pdf|docx?|xlsx?|pptx?|odt|jpe?g|png|gif|webp|avif|heic|tiff?|bmp|mp[34]|mov|avi|mkv|webm|wav|flac|ogg|zip|7z|rar|gz|exe|dll)$/i;

function calledText({ name, declaredType }: Announcement): boolean {
  const untold = programDeclared.test(declaredType);
  return (textualType.test(declaredType) || untold) && !binaryName.test(name) && !declaredType.startsWith('image/');
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
