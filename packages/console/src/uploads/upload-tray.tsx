// The tray at the bottom right: what is under way, how far, and the means to steer it.

import { useStowage, useUploads } from '@stowage/react';
import { ChevronDown, ChevronUp, Pause, Play, X } from 'lucide-react';
import { type ReactNode, useEffect, useId, useState } from 'react';
import { IconButton } from '../shell/icon-button.tsx';
import { useTitleProgress } from '../shell/page-title.ts';
import { ProgressBar } from './progress-bar.tsx';
import { ResumeOffer } from './resume-offer.tsx';
import { UploadRows } from './upload-rows.tsx';
import { describeFailures, describeOverall, describeTotals, isWaiting, percent } from './upload-words.ts';
import './upload-tray.css';

export function UploadTray(): ReactNode {
  const { uploads } = useStowage();
  const { items, totals, resumable } = useUploads();
  const [isOpen, setOpen] = useState(true);
  const titleId = useId();
  const bodyId = useId();

  useEffect(() => {
    // Files that the browser may read without asking go on by themselves. Nothing is found when the service does not
    // answer; the page itself says so.
    uploads
      .findResumable()
      .then(() => uploads.resumeRemembered({ ask: false }))
      .catch(() => undefined);
  }, [uploads]);
  useTitleProgress(totals.active > 0 ? percent(totals.sentBytes, totals.totalBytes) : undefined);
  useLeaveWarning(totals.active > 0);

  if (items.length === 0 && resumable.length === 0) return null;
  // A single upload tells why it failed in its row, while that is in view.
  const failures = isOpen && items.length === 1 ? '' : describeFailures(items);
  const overall = totals.active > 0 ? describeOverall(totals, isWaiting(items)) : failures;
  return (
    <section className="upload-tray" aria-labelledby={titleId}>
      <header className="upload-tray-head">
        <div className="upload-tray-title">
          <h2 id={titleId}>{describeTotals(totals, resumable.length)}</h2>
          {overall === '' ? null : <p>{overall}</p>}
        </div>
        <TrayActions />
        <IconButton
          label={isOpen ? 'Fold the uploads' : 'Unfold the uploads'}
          aria-expanded={isOpen}
          aria-controls={bodyId}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? <ChevronDown size={18} aria-hidden="true" /> : <ChevronUp size={18} aria-hidden="true" />}
        </IconButton>
        {totals.active + totals.paused === 0 && resumable.length === 0 ? (
          <IconButton label="Close the uploads" onClick={() => items.forEach(({ key }) => void uploads.remove(key))}>
            <X size={18} aria-hidden="true" />
          </IconButton>
        ) : null}
      </header>
      {totals.active > 0 ? (
        <div className="upload-tray-overall">
          <ProgressBar label="All uploads" value={percent(totals.sentBytes, totals.totalBytes)} tone="moving" />
        </div>
      ) : null}
      <div id={bodyId} hidden={!isOpen}>
        {resumable.length > 0 ? <ResumeOffer resumable={resumable} /> : null}
        {items.length > 0 && isOpen ? <UploadRows items={items} uploads={uploads} /> : null}
      </div>
    </section>
  );
}

function TrayActions(): ReactNode {
  const { uploads } = useStowage();
  const { items, totals } = useUploads();
  const canPause = items.some(({ state }) => state === 'queued' || state === 'starting' || state === 'sending');
  // One upload has its own buttons.
  if (items.length < 2) return null;
  if (canPause) {
    return (
      <IconButton label="Pause all" onClick={() => uploads.pauseAll()}>
        <Pause size={17} aria-hidden="true" />
      </IconButton>
    );
  }
  if (totals.paused === 0) return null;
  return (
    <IconButton label="Resume all" onClick={() => uploads.resumeAll()}>
      <Play size={17} aria-hidden="true" />
    </IconButton>
  );
}

/** Uploads survive a reload, but the browser may want the files shown once more. */
function useLeaveWarning(isActive: boolean): void {
  useEffect(() => {
    if (!isActive) return undefined;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [isActive]);
}
