// Of which tenant people are who sign in by a password: the address says it (`?tenant=acme`), or the last time somebody signed in here.

const storageKey = 'stowage-tenant';
/** The first one, which the service takes where none is named. */
export const firstTenant = 'main';

export function knownTenant(page: Pick<Window, 'location'> = window): string {
  const named = new URL(page.location.href).searchParams.get('tenant');
  if (named !== null && named !== '') return named;
  try {
    return localStorage.getItem(storageKey) ?? firstTenant;
  } catch {
    // Storage may be forbidden to the page: then it is typed each time.
    return firstTenant;
  }
}

export function keepTenant(id: string): void {
  try {
    localStorage.setItem(storageKey, id);
  } catch {
    // As above.
  }
}
