// Light or dark.

import { Moon, Sun } from 'lucide-react';
import { type ReactNode, useSyncExternalStore } from 'react';
import { chooseTheme, onThemeChange, shownTheme } from '../theme/theme-choice.ts';
import { IconButton } from './icon-button.tsx';

export function ThemeToggle(): ReactNode {
  const theme = useSyncExternalStore(onThemeChange, shownTheme);
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <IconButton label={`Use ${other} colours`} onClick={() => chooseTheme(other)}>
      {theme === 'dark' ? <Sun size={18} aria-hidden="true" /> : <Moon size={18} aria-hidden="true" />}
    </IconButton>
  );
}
