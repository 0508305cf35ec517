// A tooltip on a control that shows an icon alone. The control carries the same words as its accessible name.

import { Tooltip } from '@base-ui/react/tooltip';
import type { ReactElement, ReactNode } from 'react';

interface HintProps {
  readonly text: string;
  /** The control. */
  readonly children: ReactElement<Record<string, unknown>>;
}

export function Hint({ text, children }: HintProps): ReactNode {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6}>
          <Tooltip.Popup className="tooltip">{text}</Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
