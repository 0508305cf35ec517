// Light, dark, or as the system has it. public/theme.js applies a kept choice before the first paint.

type Theme = 'light' | 'dark';

const storageKey = 'stowage-theme';

/** What is shown at this moment. */
export function shownTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** Choosing what the system has anyway means to follow the system. */
export function chooseTheme(theme: Theme): void {
  const system: Theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  const { dataset } = document.documentElement;
  if (theme === system) delete dataset.theme;
  else dataset.theme = theme;
  try {
    if (theme === system) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, theme);
  } catch {
    // Storage is not allowed: the choice lasts until the page is left.
  }
}
