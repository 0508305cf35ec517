// What stands in the place of the list when there is none: nothing yet, nothing found, nothing to be had.

import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import './blank-page.css';

interface BlankPageProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly text: string;
  readonly role?: 'alert' | 'status';
  /** What to do about it. */
  readonly children?: ReactNode;
}

export function BlankPage({ icon: Icon, title, text, role, children }: BlankPageProps): ReactNode {
  return (
    <div className="blank-page" role={role}>
      <span className="blank-page-icon">
        <Icon size={30} strokeWidth={1.6} aria-hidden="true" />
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      {children === undefined ? null : <div className="blank-page-actions">{children}</div>}
    </div>
  );
}
