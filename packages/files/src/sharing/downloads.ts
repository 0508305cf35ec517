// URLs that download a file's bytes or a preview straight from the bucket, for a short while. Only what is `ready` has any.
// Spec: RFC 6266 and RFC 8187 for the name, in any script.

import { type Disposition, type DownloadLink, type PreviewPreset, previewPresets } from '@stowage/contract';
import { create as createDisposition } from 'content-disposition';
import type { UrlSigner } from '../bucket/sign-urls.ts';
import { isNamedType, isSafeInline } from '../content/content-rules.ts';
import type { FileKeys } from '../file-key.ts';
import type { FileRecord } from '../file-record.ts';
import { FilesError } from '../files-error.ts';
import { previewContentType } from '../previews/preview-maker.ts';
import { withoutDirectionMarks } from './shown-name.ts';

interface LinkOptions {
  readonly lifeMs: number;
  /** For who asks by HEAD: an address that answers HEAD alone, and gives no byte. Default false. */
  readonly headersOnly?: boolean | undefined;
}

export interface Downloads {
  /** Throws `wrong-state` unless the file is ready. */
  link(file: FileRecord, options: LinkOptions & { readonly disposition?: Disposition | undefined }): DownloadLink;
  /** Throws `wrong-state` unless the file is ready, `not-found` when there is no such preview. */
  previewLink(file: FileRecord, preset: string, options: LinkOptions): DownloadLink;
}

interface DownloadsOptions {
  readonly signer: UrlSigner;
  readonly keys: FileKeys;
}

export function openDownloads({ signer, keys }: DownloadsOptions): Downloads {
  return {
    link: (file, { disposition = 'attachment', lifeMs, headersOnly }) => {
      requireReady(file);
      const inline = disposition === 'inline' && isSafeInline(file);
      return signer.signGet({
        key: file.objectKey,
        versionId: file.objectVersionId,
        contentType: shownType(file),
        disposition: dispositionHeader(file.name, inline ? 'inline' : 'attachment'),
        lifeMs,
        headersOnly,
      });
    },

    previewLink: (file, preset, { lifeMs, headersOnly }) => {
      requireReady(file);
      if (!isPreset(preset) || !file.previews.includes(preset)) {
        throw new FilesError('not-found', { detail: `The file has no preview ${preset}.` });
      }
      return signer.signGet({
        key: keys.makePreview(file.objectKey, preset),
        versionId: null,
        contentType: previewContentType,
        disposition: 'inline',
        lifeMs,
        headersOnly,
      });
    },
  };
}

/**
 * The Content-Disposition of a download. Control characters and path separators become `_`; the marks that turn the
 * direction of text are dropped, because they make `…gpj.exe` read `…exe.jpg`. The header is ASCII whatever the name.
 */
export function dispositionHeader(name: string, type: Disposition): string {
  const safe = withoutDirectionMarks(name.toWellFormed())
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029/\\]/g, '_');
  const fallback = safe.replace(/[^\x20-\x7e]/g, '_').replace(/["%]/g, '_');
  return createDisposition(safe === '' ? 'file' : safe, { type, fallback: fallback === '' ? 'file' : fallback });
}

/**
 * Types that may not be shown in place are not named either, so that no browser is tempted. One that may is named also where this
 * file is not shown: a script is run out of bytes without a type, never out of an image.
 */
function shownType(file: FileRecord): string {
  if (file.contentType === 'text/plain') return 'text/plain; charset=utf-8';
  return isNamedType(file.contentType) ? file.contentType : 'application/octet-stream';
}

function isPreset(preset: string): preset is PreviewPreset {
  return Object.hasOwn(previewPresets, preset);
}

function requireReady(file: FileRecord): void {
  if (file.missingSinceMs !== null) {
    throw new FilesError('bytes-missing', {
      detail:
        'The object storage no longer has the bytes of this file as they were checked. Whoever runs the service can see it; the file comes back by itself when they do.',
    });
  }
  if (file.state === 'ready') return;
  throw new FilesError('wrong-state', {
    detail: `Only a file that is ready can be downloaded; this one is ${file.state}.${file.reason === null ? '' : ` ${file.reason}`}`,
  });
}
