// What becomes of a file by what its bytes are: the table of findings and what follows from each, and which types are shown. The
// judges are in content/; which types a tenant takes at all is the policy's (policies.ts). docs/content.md holds this table in words.

import type { ContentFinding } from '@stowage/contract';

/** `reject`: the file is refused. `mark`: it becomes ready, and the finding stands in its entry. */
export type ContentOutcome = 'reject' | 'mark';

interface ContentRule {
  /** What follows where the policy says nothing. */
  readonly outcome: ContentOutcome;
  /** Whether a policy may choose otherwise. */
  readonly choice: boolean;
  /** Whether a marked file may still be shown in place, and have a preview made. */
  readonly shown: boolean;
  readonly words: string;
}

export const contentRules = {
  'disguised-program': {
    outcome: 'reject',
    choice: false,
    shown: false,
    words:
      'A program (PE, ELF, Mach-O, Java class, WebAssembly, or a script that begins with `#!`) under a name or type that does not say so, or whose name hides its ending',
  },
  'other-kind': {
    outcome: 'reject',
    choice: false,
    shown: false,
    words: 'Announced as an image, sound or film, and the bytes are of a known format that is none',
  },
  'image-bomb': {
    outcome: 'reject',
    choice: true,
    shown: false,
    words: 'An image whose header speaks of more pixels than `imagePixels`',
  },
  'archive-bomb': {
    outcome: 'reject',
    choice: true,
    shown: false,
    words:
      'A ZIP archive whose directory speaks of more than `zipUnpackedBytes`, `zipRatio`, `zipEntries` or `zipNestedRatio`, or whose entries lie over each other',
  },
  'active-content': {
    outcome: 'mark',
    choice: true,
    shown: false,
    words: 'An image, film, sound or PDF in whose ends a page or a script stands',
  },
  'second-format': {
    outcome: 'mark',
    choice: true,
    shown: false,
    words: 'Bytes of another format that end as a ZIP archive',
  },
  'encrypted-archive': {
    outcome: 'mark',
    choice: true,
    shown: true,
    words: 'A ZIP archive of which entries are encrypted: no scanner sees into them',
  },
  'nested-archive': {
    outcome: 'mark',
    choice: true,
    shown: true,
    words: 'A ZIP archive that holds archives',
  },
  'unreadable-archive': {
    outcome: 'mark',
    choice: true,
    shown: false,
    words: 'A ZIP archive whose directory cannot be read',
  },
} as const satisfies Record<ContentFinding, ContentRule>;

/** What follows from a finding under a policy's choices. */
export function outcomeOf(
  finding: ContentFinding,
  choices: Partial<Readonly<Record<ContentFinding, ContentOutcome>>> = {},
): ContentOutcome {
  const { choice, outcome } = contentRules[finding];
  return choice ? (choices[finding] ?? outcome) : outcome;
}

/** Whether a preview is made of a file of this type that is marked so; of PDF, film and HEIC where the programs are installed. */
export function isPreviewable({ contentType, contentMarks }: Shown): boolean {
  return previewableTypes.has(contentType) && !contentMarks.includes('image-bomb');
}

/** Whether a browser may show the file in place: nothing of its type runs a script, and nothing in it was found that might. */
export function isSafeInline({ contentType, contentMarks }: Shown): boolean {
  return inlineTypes.has(contentType) && contentMarks.every((mark) => contentRules[mark].shown);
}

/** Types that a download names: no browser reads them as a page or runs them as a script. */
export function isNamedType(contentType: string): boolean {
  return inlineTypes.has(contentType);
}

interface Shown {
  readonly contentType: string;
  readonly contentMarks: readonly ContentFinding[];
}

const previewableTypes: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/avif',
  'image/tiff',
  'image/svg+xml',
  'image/heic',
  'image/heif',
  'application/pdf',
  'video/mp4',
  'video/quicktime',
  'video/webm',
  'video/matroska',
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
