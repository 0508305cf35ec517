// Before the first paint, so that a page in the dark does not flash. The rest is src/theme/theme-choice.ts.
try {
  const choice = localStorage.getItem('stowage-theme');
  if (choice === 'light' || choice === 'dark') document.documentElement.dataset.theme = choice;
} catch {
  // Storage is not allowed: the system's own choice stands.
}
