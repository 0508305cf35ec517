// The picture of a file: its thumbnail, or an icon of its kind.

import type { FileEntry } from '@stowage/contract';
import { useStowage } from '@stowage/react';
import {
  File as AnyFile,
  FileArchive,
  FileCode,
  FileImage,
  FileMusic,
  FileSpreadsheet,
  FileText,
  FileVideoCamera,
  type LucideIcon,
} from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { type FileKind, kindOf } from './file-kind.ts';
import './file-glyph.css';

const icons: Readonly<Record<FileKind, LucideIcon>> = {
  image: FileImage,
  video: FileVideoCamera,
  audio: FileMusic,
  document: FileText,
  table: FileSpreadsheet,
  archive: FileArchive,
  code: FileCode,
  other: AnyFile,
};

export function FileGlyph({ file }: { readonly file: FileEntry }): ReactNode {
  const { client } = useStowage();
  const [isBroken, setBroken] = useState(false);
  const hasPreview = file.state === 'ready' && file.previews.includes('thumbnail') && !isBroken;
  if (!hasPreview) return <KindGlyph contentType={file.contentType} />;
  return (
    <span className="file-glyph" data-picture="true">
      <img
        src={client.previewUrl(file.id, 'thumbnail')}
        alt=""
        width={40}
        height={40}
        loading="lazy"
        decoding="async"
        draggable={false}
        onError={() => setBroken(true)}
      />
    </span>
  );
}

export function KindGlyph({ contentType }: { readonly contentType: string }): ReactNode {
  const kind = kindOf(contentType);
  const Icon = icons[kind];
  return (
    <span className="file-glyph" data-kind={kind}>
      <Icon size={20} strokeWidth={1.7} aria-hidden="true" />
    </span>
  );
}
