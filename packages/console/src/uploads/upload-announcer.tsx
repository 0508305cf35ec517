// Tells screen readers how uploads end: gathered, so that a hundred files are one sentence.

import type { UploadItem } from '@stowage/client';
import { shownName } from '@stowage/contract';
import { useUploadEvents } from '@stowage/react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { count } from '../format/count.ts';

const gatherMs = 700;

export function UploadAnnouncer(): ReactNode {
  const [done, setDone] = useState('');
  const [failed, setFailed] = useState('');
  const gathered = useRef<{ ready: UploadItem[]; failed: UploadItem[] }>({ ready: [], failed: [] });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useUploadEvents(({ kind, item }) => {
    if (kind === 'stored') return;
    gathered.current[kind].push(item);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const { ready, failed: broken } = gathered.current;
      gathered.current = { ready: [], failed: [] };
      if (ready.length > 0) setDone(sentence(ready, 'uploaded'));
      if (broken.length > 0) setFailed(`${sentence(broken, 'not uploaded')} ${broken[0]?.error?.message ?? ''}`);
    }, gatherMs);
  });
  useEffect(() => () => clearTimeout(timer.current), []);

  return (
    <>
      <div role="status" className="visually-hidden">
        {done}
      </div>
      <div role="alert" className="visually-hidden">
        {failed}
      </div>
    </>
  );
}

function sentence(items: readonly UploadItem[], what: string): string {
  return items.length === 1
    ? `${shownName(items[0]?.name ?? '')} was ${what}.`
    : `${count(items.length, 'file')} were ${what}.`;
}
