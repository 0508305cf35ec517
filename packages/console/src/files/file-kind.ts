// What sort of thing a file is, for its icon and for whether a browser can show it.

export type FileKind = 'image' | 'video' | 'audio' | 'document' | 'table' | 'archive' | 'code' | 'other';

const exact: Readonly<Record<string, FileKind>> = {
  'application/pdf': 'document',
  'application/rtf': 'document',
  'application/msword': 'document',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'document',
  'application/vnd.oasis.opendocument.text': 'document',
  'text/csv': 'table',
  'application/vnd.ms-excel': 'table',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'table',
  'application/vnd.oasis.opendocument.spreadsheet': 'table',
  'application/zip': 'archive',
  'application/gzip': 'archive',
  'application/x-tar': 'archive',
  'application/x-7z-compressed': 'archive',
  'application/vnd.rar': 'archive',
  'application/json': 'code',
  'application/xml': 'code',
  'application/javascript': 'code',
  'text/javascript': 'code',
  'text/css': 'code',
  'text/html': 'code',
};

export function kindOf(contentType: string): FileKind {
  const type = essence(contentType);
  const known = exact[type];
  if (known !== undefined) return known;
  const family = type.split('/')[0];
  if (family === 'image' || family === 'video' || family === 'audio') return family;
  return family === 'text' ? 'document' : 'other';
}

/** Shown as it is, without running anything: what else a browser can open is downloaded. */
export function opensInBrowser(contentType: string): boolean {
  const type = essence(contentType);
  if (type === 'image/svg+xml') return false;
  return /^(image|video|audio)\//.test(type) || type === 'application/pdf' || type === 'text/plain';
}

/** Without parameters such as the character set. */
function essence(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}
