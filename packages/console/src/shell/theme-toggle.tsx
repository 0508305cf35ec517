// Light or dark.

import { Moon, Sun } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { chooseTheme, shownTheme } from '../theme/theme-choice.ts';
import { IconButton } from './icon-button.tsx';

export function ThemeToggle(): ReactNode {
  const [theme, setTheme] = useState(shownTheme);
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <IconButton
      label={`Use ${other} colours`}
      onClick={() => {
        chooseTheme(other);
        setTheme(other);
      }}
    >
      {theme === 'dark' ? <Sun size={18} aria-hidden="true" /> : <Moon size={18} aria-hidden="true" />}
    </IconButton>
  );
}
