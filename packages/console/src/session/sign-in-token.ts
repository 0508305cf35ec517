// The token of a one-time sign-in link: `…#token=X`, or `…?token=X`. Taken out of the address at once, so that it stays
// neither in the history nor in a copied link.

const maxTokenChars = 256;
/** A word that somebody types is no token: those are 256 random bits. */
const minBareTokenChars = 32;

export function takeSignInToken(page: Pick<Window, 'location' | 'history'>): string | undefined {
  const url = new URL(page.location.href);
  const token = tokenOf(url);
  if (token === undefined) return undefined;
  url.searchParams.delete('token');
  url.hash = '';
  page.history.replaceState(page.history.state, '', url);
  return token;
}

/** From what a user pasted: the whole link, or only its token. */
export function readSignInToken(pasted: string): string | undefined {
  const text = pasted.trim();
  if (/^[\w.~-]+$/.test(text)) return text.length < minBareTokenChars || text.length > maxTokenChars ? undefined : text;
  try {
    return tokenOf(new URL(text));
  } catch {
    return undefined;
  }
}

function tokenOf(url: URL): string | undefined {
  const token = new URLSearchParams(url.hash.slice(1)).get('token') ?? url.searchParams.get('token') ?? '';
  return token === '' || token.length > maxTokenChars ? undefined : token;
}
