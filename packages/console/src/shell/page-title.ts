// What the browser's tab says: how far uploads are, what is shown, and of that what came to the front last.

import { useEffect, useState } from 'react';

const productName = 'Stowage';
/** By whoever shows something, in the order in which they began. */
const claims = new Map<object, string>();
let progressWords: string | undefined;

/** While the component is there. `undefined`: it shows nothing of its own. */
export function usePageTitle(text: string | undefined): void {
  const [claim] = useState(() => ({}));
  useEffect(() => {
    if (text === undefined) claims.delete(claim);
    else claims.set(claim, text);
    showTitle();
  }, [claim, text]);
  useEffect(
    () => () => {
      claims.delete(claim);
      showTitle();
    },
    [claim],
  );
}

/** Before the title: what people look for from another tab. `undefined`: nothing goes on. */
export function useTitleProgress(percent: number | undefined): void {
  useEffect(() => {
    progressWords = percent === undefined ? undefined : `${percent}%`;
    showTitle();
    return () => {
      progressWords = undefined;
      showTitle();
    };
  }, [percent]);
}

function showTitle(): void {
  const parts = [progressWords, [...claims.values()].at(-1), productName];
  document.title = parts.filter((part) => part !== undefined).join(' · ');
}
