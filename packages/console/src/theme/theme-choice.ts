// Light, dark, or as the system has it. public/theme.js applies a kept choice before the first paint.

type Theme = 'light' | 'dark';

const storageKey = 'stowage-theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

/** What is shown at this moment. */
export function shownTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return systemTheme();
}

/** Calls back when another is shown: by choice, or because the system changed, as some do at dusk. Answers how to stop. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  systemDark.addEventListener('change', listener);
  return () => {
    listeners.delete(listener);
    systemDark.removeEventListener('change', listener);
  };
}

/** Choosing what the system has anyway means to follow the system. */
export function chooseTheme(theme: Theme): void {
  const followsSystem = theme === systemTheme();
  const { dataset } = document.documentElement;
  if (followsSystem) delete dataset.theme;
  else dataset.theme = theme;
  for (const listener of listeners) listener();
  try {
    if (followsSystem) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, theme);
  } catch {
    // Storage is not allowed: the choice lasts until the page is left.
  }
}

function systemTheme(): Theme {
  return systemDark.matches ? 'dark' : 'light';
}
