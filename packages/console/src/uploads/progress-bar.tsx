// A bar that fills. Without a value it says that something goes on.

import { Progress } from '@base-ui/react/progress';
import type { ReactNode } from 'react';
import './progress-bar.css';

interface ProgressBarProps {
  readonly label: string;
  /** 0 to 100; null while it cannot be told. */
  readonly value: number | null;
  readonly tone: 'moving' | 'still' | 'failed';
}

export function ProgressBar({ label, value, tone }: ProgressBarProps): ReactNode {
  return (
    <Progress.Root className="progress-bar" value={value} aria-label={label} data-tone={tone}>
      <Progress.Track className="progress-bar-track">
        <Progress.Indicator className="progress-bar-fill" />
      </Progress.Track>
    </Progress.Root>
  );
}
