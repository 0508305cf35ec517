// A button that shows an icon alone, with its words as accessible name and tooltip.

import type { ComponentProps, ReactNode } from 'react';
import { Hint } from './hint.tsx';

interface IconButtonProps extends Omit<ComponentProps<'button'>, 'aria-label'> {
  readonly label: string;
  /** Shown in the tooltip where the label says more than eyes need. Default: the label. */
  readonly hint?: string;
}

export function IconButton({ label, hint = label, children, ...rest }: IconButtonProps): ReactNode {
  return (
    <Hint text={hint}>
      <button type="button" className="icon-button" aria-label={label} {...rest}>
        {children}
      </button>
    </Hint>
  );
}
