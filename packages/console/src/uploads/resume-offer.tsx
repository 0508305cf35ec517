// After a reload: uploads that were left unfinished. Where the browser remembers the files it asks for leave and goes on;
// otherwise the user chooses them once more.

import type { ResumableUpload } from '@stowage/client';
import { shownName, shownSize } from '@stowage/contract';
import { useFilePicker, useStowage } from '@stowage/react';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { count } from '../format/count.ts';
import { useNotices } from '../notices/use-notices.ts';
import { IconButton } from '../shell/icon-button.tsx';
import { describeMissed } from './missed-words.ts';

const maxNamed = 4;

export function ResumeOffer({ resumable }: { readonly resumable: readonly ResumableUpload[] }): ReactNode {
  const { uploads } = useStowage();
  const { say, sayFailure } = useNotices();
  const pick = useFilePicker(({ requests }) => {
    for (const { error } of uploads.resumeWith(requests)) sayFailure('That is not the file to go on with', error);
  });
  const areRemembered = resumable.every(({ remembered }) => remembered?.handle !== undefined);
  const them = resumable.length === 1 ? 'file' : 'files';

  async function goOn(): Promise<void> {
    const missed = await uploads.resumeRemembered({ ask: true });
    if (missed.length > 0) say(describeMissed(missed));
  }

  return (
    <section className="resume-offer" aria-label="Unfinished uploads">
      <p>{areRemembered ? 'What was sent is kept.' : `What was sent is kept. Choose the ${them} again to go on.`}</p>
      <ul>
        {resumable.slice(0, maxNamed).map(({ upload }) => (
          <li key={upload.id}>
            <bdi className="resume-offer-name" title={shownName(upload.name)}>
              {shownName(upload.name)}
            </bdi>
            <span className="resume-offer-size">{shownSize(upload.sizeBytes)}</span>
            <IconButton
              label={`Give up the upload of ${shownName(upload.name)}`}
              hint="Give up"
              onClick={() => {
                uploads.abandon(upload.id).catch((error: unknown) => sayFailure('It could not be given up', error));
              }}
            >
              <X size={15} aria-hidden="true" />
            </IconButton>
          </li>
        ))}
      </ul>
      {resumable.length > maxNamed ? <p>and {count(resumable.length - maxNamed, 'more', 'more')}</p> : null}
      <div className="resume-offer-actions">
        {resumable.some(({ remembered }) => remembered?.handle !== undefined) ? (
          <button type="button" className="button" data-kind="primary" data-size="small" onClick={() => void goOn()}>
            Resume
          </button>
        ) : null}
        <button type="button" className="button" data-size="small" onClick={() => pick()}>
          Choose {them}
        </button>
      </div>
    </section>
  );
}
