// The orders of the list as a menu, for screens too narrow for columns.

import { Menu } from '@base-ui/react/menu';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { ArrowDownUp, Check } from 'lucide-react';
import type { ReactNode } from 'react';
import { defaultSort, type FileSort, fileSorts, withSort } from './files-search.ts';

export function SortMenu(): ReactNode {
  const search = useSearch({ from: '/' });
  const { sort = defaultSort } = search;
  const navigate = useNavigate({ from: '/' });
  // Proof of the cast: the keys of the very table.
  const sorts = Object.keys(fileSorts) as FileSort[];
  return (
    <Menu.Root>
      <Menu.Trigger className="button sort-menu" data-size="small">
        <ArrowDownUp size={15} aria-hidden="true" /> {fileSorts[sort]}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="menu-place" sideOffset={4} align="end">
          <Menu.Popup className="menu">
            <Menu.RadioGroup
              value={sort}
              onValueChange={(next: FileSort) => void navigate({ search: withSort(search, next) })}
            >
              {sorts.map((each) => (
                <Menu.RadioItem key={each} value={each} className="menu-item" closeOnClick>
                  {fileSorts[each]}
                  <Menu.RadioItemIndicator className="menu-check">
                    <Check size={16} aria-hidden="true" />
                  </Menu.RadioItemIndicator>
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
