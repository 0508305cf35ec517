// How a file stands, where that is worth a word: a file that is ready has no badge.

import type { FileState } from '@stowage/contract';
import { LoaderCircle, ShieldAlert, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import './state-badge.css';

interface BadgeRow {
  readonly text: string;
  readonly tone: 'busy' | 'caution' | 'danger';
}

const badges: Readonly<Partial<Record<FileState, BadgeRow>>> = {
  uploaded: { text: 'Checking', tone: 'busy' },
  validating: { text: 'Checking', tone: 'busy' },
  scanning: { text: 'Checking', tone: 'busy' },
  rejected: { text: 'Refused', tone: 'danger' },
  quarantined: { text: 'Locked away', tone: 'danger' },
  'scan-failed': { text: 'Not checked', tone: 'caution' },
};

/** Whether its owner may put it away: what is being checked is let come to its end. */
export function canBeDeleted({ state }: { readonly state: FileState }): boolean {
  return badges[state]?.tone !== 'busy';
}

const icons = { busy: LoaderCircle, caution: TriangleAlert, danger: ShieldAlert } as const;

export function StateBadge({ state }: { readonly state: FileState }): ReactNode {
  const badge = badges[state];
  if (badge === undefined) return null;
  const Icon = icons[badge.tone];
  return (
    <span className="state-badge" data-tone={badge.tone}>
      <Icon size={13} aria-hidden="true" />
      {badge.text}
    </span>
  );
}
